import { Double, Long } from 'bson';
import { expect } from 'chai';
import { type Case, describeExpressions, evaluate, type Refusal, shown, valueOfField } from './expression-fixture.js';

const cases: Case[] = [
  ['a path reads a field', '$a.b', 5, { a: { b: 5 } }],
  ['a path through an array gives an array', '$a.b', [1, [2]], { a: [{ b: 1 }, 7, { c: 1 }, { b: [2] }] }],
  [
    'a path through two arrays gives arrays in an array',
    '$a.b.c',
    [[1, 2], []],
    { a: [{ b: [{ c: 1 }, { c: 2 }] }, { b: [] }] },
  ],
  ['a path does not count in arrays', '$a.0', [], { a: [1, 2] }],
  ['a path through a scalar leads nowhere', '$a.b', undefined, { a: 5 }],
  ['a constant is itself, with its type', new Double(1), new Double(1)],
  [
    'an object is made of its fields; missing ones are left out',
    { a: '$x', b: { c: '$y' }, d: '$z' },
    { a: 1, b: { c: 2 } },
    { x: 1, y: 2 },
  ],
  ['an array is made of its items; missing ones are null', ['$x', '$y', 'z'], [1, null, 'z'], { x: 1 }],
  ['$literal is taken as it is', { $literal: { $add: ['$a', 1] } }, { $add: ['$a', 1] }],
  ['$const is another name of $literal', { $const: '$a' }, '$a'],
  ['$$ROOT is the document', '$$ROOT.a', 1, { a: 1 }],
  ['$$CURRENT is the document too', '$$CURRENT.a', 1, { a: 1 }],
  ['$$REMOVE is nothing', '$$REMOVE', undefined],
  ['$$NOW is the time of the command', { $year: '$$NOW' }, 2024],
  [
    '$let binds variables',
    { $let: { vars: { low: 1, high: '$h' }, in: { $gt: ['$$high', '$$low'] } } },
    true,
    { h: 5 },
  ],
  [
    '$let may hide a variable inside',
    { $let: { vars: { a: 1 }, in: { $let: { vars: { a: { $add: ['$$a', 1] } }, in: '$$a' } } } },
    2,
  ],
  ['$let may bind CURRENT', { $let: { vars: { CURRENT: '$a' }, in: '$b' } }, 2, { a: { b: 2 }, b: 1 }],
  ['an int64 keeps its digits', '$n', Long.fromString('9007199254740993'), { n: Long.fromString('9007199254740993') }],
];

const refusals: Refusal[] = [
  [{ $function: {} }, 168],
  [{ $nonsense: 1 }, 168],
  [{ $add: [1], $sum: [1] }, 15983],
  [{ a: { $add: [1], b: 1 } }, 15983],
  ['$', 16872],
  ['$a..b', 15998],
  ['$a.', 40353],
  ['$a.$b', 16410],
  ['$$', 9],
  ['$$a-b', 9],
  ['$$nobody', 17276],
  ['$$CLUSTER_TIME', 17276],
  [{ 'a.b': 1 }, 16412],
  [{ a: 1, $b: 1 }, 16410],
  [{ $let: 1 }, 16874],
  [{ $let: { vars: {}, in: 1, x: 1 } }, 16875],
  [{ $let: { in: 1 } }, 16876],
  [{ $let: { vars: {} } }, 16877],
  [{ $let: { vars: { ROOT: 1 }, in: 1 } }, 9],
];

describeExpressions('an expression', cases, refusals);

describe('an expression of a command', () => {
  it('reads the variables of its command', () => {
    expect(
      shown(evaluate({ $add: ['$$n', '$$m.x', '$a'] }, { a: 1 }, { n: 2, m: { x: { $add: ['$$n', 1] } } })),
    ).to.equal(shown(valueOfField(6)));
    expect(() => evaluate('$$n', {}, { n: '$a' }))
      .to.throw()
      .with.property('code', 4890500);
  });

  it('names what is supported when it refuses an operator', () => {
    expect(() => evaluate({ $nonsense: 1 })).to.throw(/\$nonsense.*\$add .*\$dateTrunc/);
  });
});
