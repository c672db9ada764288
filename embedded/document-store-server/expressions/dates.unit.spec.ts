import { Long, ObjectId, Timestamp } from 'bson';
import { expect } from 'chai';
import { type Case, describeExpressions, evaluate, type Refusal, shown, valueOfField } from './expression-fixture.js';

const date = new Date('2014-01-01T08:15:39.736Z');
const summer = { d: new Date('2024-07-31T23:30:15.250Z') };
const inBerlin = { date: '$d', timezone: 'Europe/Berlin' };

const cases: Case[] = [
  ['$year', { $year: date }, 2014],
  ['$month', { $month: date }, 1],
  ['$month in a time zone', { $month: inBerlin }, 8, summer],
  ['$dayOfMonth in a time zone', { $dayOfMonth: inBerlin }, 1, summer],
  ['$dayOfMonth at an offset', { $dayOfMonth: { date: '$d', timezone: '-02:30' } }, 31, summer],
  ['$hour in a time zone', { $hour: inBerlin }, 1, summer],
  ['$hour in a zone of half hours', { $hour: { date: '$d', timezone: 'Asia/Kolkata' } }, 5, summer],
  ['$minute', { $minute: [date] }, 15],
  ['$second', { $second: { date } }, 39],
  ['$millisecond', { $millisecond: date }, 736],
  ['$dayOfWeek counts from Sunday, 1', { $dayOfWeek: date }, 4],
  ['$dayOfYear', { $dayOfYear: new Date('2024-12-31T00:00:00Z') }, 366],
  ['$week begins on Sundays', { $week: new Date('2016-01-03T00:00:00Z') }, 1],
  ['$week is 1 in a year that begins with a Sunday', { $week: new Date('2017-01-01T00:00:00Z') }, 1],
  ['$week is 0 before the first Sunday', { $week: new Date('2016-01-02T00:00:00Z') }, 0],
  ['$isoDayOfWeek counts from Monday, 1', { $isoDayOfWeek: new Date('2016-01-03T00:00:00Z') }, 7],
  ['$isoWeek may belong to the year before', { $isoWeek: new Date('2016-01-01T00:00:00Z') }, 53],
  ['$isoWeekYear is of that year', { $isoWeekYear: new Date('2016-01-01T00:00:00Z') }, Long.fromNumber(2015)],
  ['$year of an ObjectId', { $year: new ObjectId('5ab9c3da31c2ab715d421285') }, 2018],
  ['$year of a timestamp', { $year: new Timestamp({ t: 1421713200, i: 1 }) }, 2015],
  ['$year of null is null', { $year: '$missing' }, null],
  ['$year in a missing time zone is null', { $year: { date, timezone: '$missing' } }, null],
  ['$dateToString in ISO 8601 unless told otherwise', { $dateToString: { date } }, '2014-01-01T08:15:39.736Z'],
  ['$dateToString without Z in a time zone', { $dateToString: inBerlin }, '2024-08-01T01:30:15.250', summer],
  ['$dateToString by day', { $dateToString: { format: '%Y-%m-%d', date: '$d' } }, '2024-07-31', summer],
  ['$dateToString by day in a time zone', { $dateToString: { format: '%Y-%m-%d', ...inBerlin } }, '2024-08-01', summer],
  [
    '$dateToString in every format',
    { $dateToString: { date, format: '%H:%M:%S:%L %j %u %U %V %w %G %d %m %Y %z %Z %%', timezone: '+0530' } },
    '13:45:39:736 001 3 00 01 4 2014 01 01 2014 +0530 +330 %',
  ],
  ['$dateToString of null', { $dateToString: { date: null } }, null],
  ['$dateToString has onNull', { $dateToString: { date: '$missing', onNull: 'never' } }, 'never'],
  ['$dateTrunc to the day', { $dateTrunc: { date, unit: 'day' } }, new Date('2014-01-01T00:00:00Z')],
  [
    '$dateTrunc to the day of a time zone',
    { $dateTrunc: { unit: 'day', ...inBerlin } },
    new Date('2024-07-31T22:00:00Z'),
    summer,
  ],
  ['$dateTrunc to the hour', { $dateTrunc: { date, unit: 'hour' } }, new Date('2014-01-01T08:00:00Z')],
  [
    '$dateTrunc to the hour of a zone of half hours',
    { $dateTrunc: { date, unit: 'hour', timezone: 'Asia/Kolkata' } },
    new Date('2014-01-01T07:30:00Z'),
  ],
  [
    '$dateTrunc to quarters of an hour',
    { $dateTrunc: { date, unit: 'minute', binSize: 15 } },
    new Date('2014-01-01T08:15:00Z'),
  ],
  ['$dateTrunc to the second', { $dateTrunc: { date, unit: 'second' } }, new Date('2014-01-01T08:15:39Z')],
  [
    '$dateTrunc to the week from Sunday',
    { $dateTrunc: { date: new Date('2021-03-20T11:30:05Z'), unit: 'week' } },
    new Date('2021-03-14T00:00:00Z'),
  ],
  [
    '$dateTrunc to the week from Monday',
    { $dateTrunc: { date: new Date('2021-03-20T11:30:05Z'), unit: 'week', startOfWeek: 'Monday' } },
    new Date('2021-03-15T00:00:00Z'),
  ],
  [
    '$dateTrunc to two weeks',
    {
      $dateTrunc: {
        date: new Date('2021-03-20T11:30:05Z'),
        unit: 'week',
        binSize: 2,
        timezone: 'America/Los_Angeles',
        startOfWeek: 'Monday',
      },
    },
    new Date('2021-03-15T07:00:00Z'),
  ],
  ['$dateTrunc to the month', { $dateTrunc: { date: '$d', unit: 'month' } }, new Date('2024-07-01T00:00:00Z'), summer],
  [
    '$dateTrunc to the quarter',
    { $dateTrunc: { date: '$d', unit: 'quarter' } },
    new Date('2024-07-01T00:00:00Z'),
    summer,
  ],
  [
    '$dateTrunc to half a year',
    { $dateTrunc: { date: new Date('1999-06-30T00:00:00Z'), unit: 'quarter', binSize: 2 } },
    new Date('1999-01-01T00:00:00Z'),
  ],
  [
    '$dateTrunc to the decade',
    { $dateTrunc: { date: '$d', unit: 'year', binSize: 10 } },
    new Date('2020-01-01T00:00:00Z'),
    summer,
  ],
  ['$dateTrunc of null is null', { $dateTrunc: { date: null, unit: 'day' } }, null],
];

const refusals: Refusal[] = [
  [{ $year: 'x' }, 16006],
  [{ $year: { date, zone: 'x' } }, 40535],
  [{ $year: { timezone: 'UTC' } }, 40539],
  [{ $year: [date, date] }, 40536],
  [{ $year: { date, timezone: 5 } }, 40517],
  [{ $year: { date, timezone: 'Mars/Olympus' } }, 40485],
  [{ $year: { date, timezone: 'europe/berlin' } }, 40485],
  [{ $dateToString: date }, 18629],
  [{ $dateToString: { date, x: 1 } }, 18534],
  [{ $dateToString: { format: '%Y' } }, 18628],
  [{ $dateToString: { date, format: 5 } }, 18533],
  [{ $dateToString: { date, format: '%' } }, 18535],
  [{ $dateToString: { date, format: '%x' } }, 18536],
  [{ $dateToString: { date: new Date('-000001-01-01T00:00:00Z'), format: '%Y' } }, 18537],
  [{ $dateTrunc: date }, 5439007],
  [{ $dateTrunc: { date, unit: 'day', x: 1 } }, 5439008],
  [{ $dateTrunc: { unit: 'day' } }, 5439009],
  [{ $dateTrunc: { date } }, 5439010],
  [{ $dateTrunc: { date: 'x', unit: 'day' } }, 5439012],
  [{ $dateTrunc: { date, unit: 5 } }, 5439013],
  [{ $dateTrunc: { date, unit: 'decade' } }, 9],
  [{ $dateTrunc: { date, unit: 'week', startOfWeek: 5 } }, 5439015],
  [{ $dateTrunc: { date, unit: 'week', startOfWeek: 'someday' } }, 5439016],
  [{ $dateTrunc: { date, unit: 'day', binSize: 1.5 } }, 5439017],
  [{ $dateTrunc: { date, unit: 'day', binSize: 0 } }, 5439018],
];

describeExpressions('dates in expressions', cases, refusals);

describe('midnight in expressions', () => {
  it('$dateTrunc finds midnight where the clocks change', () => {
    const midnight = (day: string, timezone: string) =>
      shown(evaluate({ $dateTrunc: { date: new Date(day), unit: 'day', timezone } }));
    const shownDate = (text: string) => shown(valueOfField(new Date(text)));
    expect(midnight('2024-03-31T12:00:00Z', 'Europe/Berlin')).to.equal(shownDate('2024-03-30T23:00:00Z'));
    expect(midnight('2024-10-27T12:00:00Z', 'Europe/Berlin')).to.equal(shownDate('2024-10-26T22:00:00Z'));
    // the clocks of Beirut skip the first hour of this day
    expect(midnight('2024-03-31T12:00:00Z', 'Asia/Beirut')).to.equal(shownDate('2024-03-30T22:00:00Z'));
  });
});
