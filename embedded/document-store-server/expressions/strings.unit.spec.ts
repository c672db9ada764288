import { BSONRegExp, Double, Long } from 'bson';
import { expect } from 'chai';
import { type Case, evaluate, refusal, shown, valueOfField } from './expression-fixture.js';

const cases: Case[] = [
  ['$concat joins', { $concat: ['$item', ' - ', '$kind'] }, 'ABC1 - product 1', { item: 'ABC1', kind: 'product 1' }],
  ['$concat with null is null', { $concat: ['a', '$missing'] }, null],
  ['$toLower changes the letters of ASCII alone', { $toLower: 'ÄBC' }, 'Äbc'],
  ['$toLower of null is empty', { $toLower: null }, ''],
  ['$toUpper changes the letters of ASCII alone', { $toUpper: 'äbß' }, 'äBß'],
  ['$toUpper takes numbers and dates as text', { $toUpper: new Date(0) }, '1970-01-01T00:00:00.000Z'],
  ['$substrCP counts code points', { $substrCP: ['a😀cé', 1, 2] }, '😀c'],
  ['$substrCP behind the end is empty', { $substrCP: ['abc', 5, 2] }, ''],
  ['$substrCP takes a number as text', { $substrCP: [12345, 1, 2] }, '23'],
  ['$strLenCP counts code points', { $strLenCP: '寿司😀' }, 3],
  ['$split takes apart', { $split: ['June-15-2013', '-'] }, ['June', '15', '2013']],
  ['$split with separators at the edges gives empty strings', { $split: ['-a-', '-'] }, ['', 'a', '']],
  ['$split of null is null', { $split: ['$missing', '-'] }, null],
  ['$trim takes white space off both ends', { $trim: { input: ' \n\u00a0good \u2003' } }, 'good'],
  ['$trim takes named characters off', { $trim: { input: 'ggggoodbyeeee', chars: 'ge' } }, 'oodby'],
  ['$ltrim works at the start alone', { $ltrim: { input: '  a ' } }, 'a '],
  ['$rtrim works at the end alone', { $rtrim: { input: '  a ' } }, '  a'],
  ['$indexOfCP finds by code points', { $indexOfCP: ['😀abc', 'c'] }, 3],
  ['$indexOfCP looks between bounds', { $indexOfCP: ['foo.bar.fi', '.', 4, 7] }, -1],
  ['$indexOfCP finds the second', { $indexOfCP: ['foo.bar.fi', '.', 5] }, 7],
  ['$indexOfCP of null is null', { $indexOfCP: [null, 'x'] }, null],
  ['$regexMatch asks a pattern', { $regexMatch: { input: '$a', regex: /line/ } }, true, { a: 'Single line' }],
  ['$regexMatch takes options', { $regexMatch: { input: 'LINE', regex: 'line', options: 'i' } }, true],
  ['$regexMatch takes a pattern from the document', { $regexMatch: { input: 'abc', regex: '$p' } }, true, { p: '^a' }],
  ['$regexMatch of null is false', { $regexMatch: { input: null, regex: 'a' } }, false],
  [
    '$mergeObjects puts the later over the earlier',
    { $mergeObjects: [{ a: 1, b: 2 }, null, { b: 3, c: 4 }] },
    { a: 1, b: 3, c: 4 },
  ],
  [
    '$mergeObjects merges the items of its only argument',
    { $mergeObjects: '$a' },
    { x: 2 },
    { a: [{ x: 1 }, { x: 2 }] },
  ],
  [
    '$objectToArray gives names and values',
    { $objectToArray: '$a' },
    [
      { k: 'x', v: 1 },
      { k: 'y', v: [2] },
    ],
    { a: { x: 1, y: [2] } },
  ],
  [
    '$arrayToObject takes objects with k and v',
    {
      $arrayToObject: {
        $literal: [
          { k: 'x', v: 1 },
          { k: 'x', v: 2 },
        ],
      },
    },
    { x: 2 },
  ],
  [
    '$arrayToObject takes pairs',
    {
      $arrayToObject: {
        $literal: [
          ['x', 1],
          ['y', 2],
        ],
      },
    },
    { x: 1, y: 2 },
  ],
  [
    '$getField reads names with dots and dollars',
    { $getField: { field: { $literal: '$a.b' }, input: '$o' } },
    7,
    { o: { '$a.b': 7 } },
  ],
  ['$getField reads the document', { $getField: 'a.b' }, 5, { 'a.b': 5 }],
  ['$getField of no object gives nothing', { $getField: { field: 'a', input: 5 } }, undefined],
  ['$getField of null is null', { $getField: { field: 'a', input: null } }, null],
];

const refusals: [expression: unknown, code: number][] = [
  [{ $concat: ['a', 1] }, 16702],
  [{ $toLower: { $literal: [1] } }, 16007],
  [{ $substrCP: ['a', 'x', 1] }, 34450],
  [{ $substrCP: ['a', 0.5, 1] }, 34451],
  [{ $substrCP: ['a', 0, 'x'] }, 34452],
  [{ $substrCP: ['a', 0, new Double(0.5)] }, 34453],
  [{ $substrCP: ['a', 0, -1] }, 34454],
  [{ $substrCP: ['a', Long.fromNumber(-1), 1] }, 34455],
  [{ $substrCP: ['a', 0] }, 16020],
  [{ $strLenCP: null }, 34471],
  [{ $split: [1, 'x'] }, 40085],
  [{ $split: ['x', 1] }, 40086],
  [{ $split: ['x', ''] }, 40087],
  [{ $trim: { input: 'a', x: 1 } }, 50694],
  [{ $trim: { chars: 'a' } }, 50695],
  [{ $trim: 'a' }, 50696],
  [{ $trim: { input: 1 } }, 50699],
  [{ $trim: { input: 'a', chars: 1 } }, 50700],
  [{ $indexOfCP: [1, 'x'] }, 40093],
  [{ $indexOfCP: ['x', 1] }, 40094],
  [{ $indexOfCP: ['x', 'x', 0.5] }, 40096],
  [{ $indexOfCP: ['x', 'x', -1] }, 40097],
  [{ $regexMatch: 'x' }, 51103],
  [{ $regexMatch: { input: 1, regex: 'x' } }, 51104],
  [{ $regexMatch: { input: 'x', regex: 1 } }, 51105],
  [{ $regexMatch: { input: 'x', regex: 'x', options: 1 } }, 51106],
  [{ $regexMatch: { input: 'x', regex: new BSONRegExp('x', 'i'), options: 'i' } }, 51107],
  [{ $regexMatch: { regex: 'x' } }, 31022],
  [{ $regexMatch: { input: 'x' } }, 31023],
  [{ $regexMatch: { input: 'x', regex: 'x', flags: 'i' } }, 31024],
  [{ $mergeObjects: [1] }, 40400],
  [{ $objectToArray: 1 }, 40390],
  [{ $arrayToObject: 1 }, 40386],
  [{ $arrayToObject: { $literal: [1] } }, 40398],
  [{ $arrayToObject: { $literal: [['a', 1], 2] } }, 40396],
  [{ $arrayToObject: { $literal: [['a']] } }, 40397],
  [{ $arrayToObject: { $literal: [[1, 1]] } }, 40395],
  [{ $arrayToObject: { $literal: [{ k: 'a', v: 1 }, 2] } }, 40391],
  [{ $arrayToObject: { $literal: [{ k: 'a' }] } }, 40392],
  [{ $arrayToObject: { $literal: [{ k: 'a', x: 1 }] } }, 40393],
  [{ $arrayToObject: { $literal: [{ k: 1, v: 1 }] } }, 40394],
  [{ $getField: { field: 'a', x: 1 } }, 3041701],
  [{ $getField: { input: {} } }, 3041702],
  [{ $getField: { field: 'a' } }, 3041703],
  [{ $getField: '$a' }, 5654600],
  [{ $getField: 5 }, 5654602],
];

describe('strings and objects in expressions', () => {
  for (const [title, expression, expected, document] of cases) {
    it(title, () => expect(shown(evaluate(expression, document))).to.equal(shown(valueOfField(expected))));
  }
  for (const [expression, code] of refusals) {
    it(`refuses ${JSON.stringify(expression)} with ${code}`, () => expect(refusal(expression)).to.equal(code));
  }
});
