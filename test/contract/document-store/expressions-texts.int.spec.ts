import { Long } from 'mongodb';
import { describeTargets } from './document-store-targets.js';
import { describeFamilies, type Families } from './expression-cases.js';
import { refused } from './pipeline-cases.js';

const long = (text: string | number) => Long.fromString(String(text));

const families: Families = {
  string: {
    $concat: [
      [{ $concat: ['$t', '-', 'x'] }, 'Text-x'],
      [{ $concat: ['$t', '$n'] }, null],
      [{ $concat: ['$t', '$i'] }, refused],
    ],
    $toLower: [
      [{ $toLower: '$t' }, 'text'],
      [{ $toLower: '$none' }, ''],
    ],
    $toUpper: [[{ $toUpper: '$t' }, 'TEXT']],
    $substrCP: [
      [{ $substrCP: ['$t', 1, 2] }, 'ex'],
      [{ $substrCP: ['流🛒é', 1, 1] }, '🛒'],
      [{ $substrCP: ['$none', 0, 9] }, ''],
    ],
    $strLenCP: [
      [{ $strLenCP: '流🛒é' }, 3],
      [{ $strLenCP: '$n' }, refused],
    ],
    $split: [
      [{ $split: ['a-b-c', '-'] }, ['a', 'b', 'c']],
      [{ $split: ['$n', '-'] }, null],
      [{ $split: ['abc', ''] }, refused],
    ],
    $trim: [
      [{ $trim: { input: ' x \n' } }, 'x'],
      [{ $trim: { input: '--x-', chars: '-' } }, 'x'],
    ],
    $ltrim: [[{ $ltrim: { input: '  x ' } }, 'x ']],
    $rtrim: [[{ $rtrim: { input: ' x  ' } }, ' x']],
    $indexOfCP: [
      [{ $indexOfCP: ['流🛒é', 'é'] }, 2],
      [{ $indexOfCP: ['$t', 'z'] }, -1],
    ],
    $regexMatch: [
      [{ $regexMatch: { input: '$t', regex: '^te', options: 'i' } }, true],
      [{ $regexMatch: { input: '$t', regex: /x$/ } }, false],
      [{ $regexMatch: { input: '$none', regex: 'x' } }, false],
    ],
  },
  date: {
    $year: [
      [{ $year: '$date' }, 2024],
      [{ $year: { date: new Date('2023-12-31T23:30:00Z'), timezone: '+01:00' } }, 2024],
      [{ $year: '$none' }, null],
      [{ $year: '$t' }, refused],
    ],
    $month: [[{ $month: '$date' }, 2]],
    $dayOfMonth: [[{ $dayOfMonth: '$date' }, 29]],
    $dayOfWeek: [[{ $dayOfWeek: '$date' }, 5]],
    $dayOfYear: [[{ $dayOfYear: '$date' }, 60]],
    $hour: [
      [{ $hour: '$date' }, 13],
      [{ $hour: { date: '$date', timezone: '-0500' } }, 8],
    ],
    $minute: [[{ $minute: '$date' }, 14]],
    $second: [[{ $second: '$date' }, 15]],
    $millisecond: [[{ $millisecond: '$date' }, 678]],
    $week: [[{ $week: '$date' }, 8]],
    $isoWeek: [[{ $isoWeek: '$date' }, 9]],
    $isoWeekYear: [[{ $isoWeekYear: new Date('2023-01-01T00:00:00Z') }, long(2022)]],
    $isoDayOfWeek: [[{ $isoDayOfWeek: '$date' }, 4]],
    $dateToString: [
      [{ $dateToString: { date: '$date' } }, '2024-02-29T13:14:15.678Z'],
      [
        { $dateToString: { date: '$date', format: '%Y-%m-%d %H:%M:%S.%L %j %u %%' } },
        '2024-02-29 13:14:15.678 060 4 %',
      ],
      [{ $dateToString: { date: '$date', format: '%Y-%m-%d %H:%M %z', timezone: '+05:30' } }, '2024-02-29 18:44 +0530'],
      [{ $dateToString: { date: '$none', onNull: 'never' } }, 'never'],
      [{ $dateToString: { date: '$none' } }, null],
    ],
    $dateTrunc: [
      [{ $dateTrunc: { date: '$date', unit: 'hour' } }, new Date('2024-02-29T13:00:00Z')],
      [{ $dateTrunc: { date: '$date', unit: 'month' } }, new Date('2024-02-01T00:00:00Z')],
      [{ $dateTrunc: { date: '$date', unit: 'minute', binSize: 5 } }, new Date('2024-02-29T13:10:00Z')],
    ],
  },
};

describeTargets('expressions of texts and dates', (target) => describeFamilies(target, families));
