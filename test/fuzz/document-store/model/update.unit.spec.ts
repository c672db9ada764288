import { Timestamp } from 'bson';
import { expect } from 'chai';
import { docFromJson, toJson } from '../json.js';
import { applyUpdate, checkUpdate } from './update.js';
import { upserted } from './upsert.js';
import { type Doc, Refusal } from './values.js';

type Plain = Record<string, unknown>;

/** Documents, updates and results of MongoDB's manual (7.0); the page follows `/docs/v7.0/reference/operator/update/`. */
const examples: readonly (readonly [page: string, before: Plain, update: Plain, after: Plain])[] = [
  [
    'set/#set-top-level-fields',
    { _id: 100, quantity: 250, instock: true, tags: ['apparel', 'clothing'] },
    { $set: { quantity: 500, details: { model: '2600' }, tags: ['coats'] } },
    { _id: 100, quantity: 500, instock: true, tags: ['coats'], details: { model: '2600' } },
  ],
  [
    'set/#set-elements-in-arrays',
    { _id: 1, tags: ['a', 'b'], ratings: [{ by: 'x', rating: 4 }] },
    { $set: { 'tags.1': 'rain gear', 'ratings.0.rating': 2 } },
    { _id: 1, tags: ['a', 'rain gear'], ratings: [{ by: 'x', rating: 2 }] },
  ],
  [
    'set/#behavior (lexicographic order)',
    { _id: 1 },
    { $set: { b: 1, 'a.10': 1, 'a.9': 1 }, $inc: { aa: 2 } },
    { _id: 1, a: { '#9': 1, '#10': 1 }, aa: 2, b: 1 },
  ],
  [
    'unset/',
    { _id: 1, item: 'x', qty: [1, 2] },
    { $unset: { item: '', none: '', 'qty.0': '' } },
    { _id: 1, qty: [null, 2] },
  ],
  [
    'inc/',
    { _id: 1, sku: 'abc123', quantity: 10, metrics: { orders: 2, ratings: 3.5 } },
    { $inc: { quantity: -2, 'metrics.orders': 1 } },
    { _id: 1, sku: 'abc123', quantity: 8, metrics: { orders: 3, ratings: 3.5 } },
  ],
  ['inc/ (overflow)', { _id: 1, n: 2147483647 }, { $inc: { n: 1 } }, { _id: 1, n: { $numberLong: '2147483648' } }],
  [
    'mul/',
    { _id: 1, price: { $numberDecimal: '10.99' }, quantity: 25 },
    { $mul: { price: { $numberDecimal: '1.25' }, quantity: 2 } },
    { _id: 1, price: { $numberDecimal: '13.7375' }, quantity: 50 },
  ],
  [
    'mul/#apply--mul-operator-to-a-non-existing-field',
    { _id: 2 },
    { $mul: { price: { $numberLong: '100' } } },
    { _id: 2, price: { $numberLong: '0' } },
  ],
  [
    'mul/#multiply-mixed-numeric-types',
    { _id: 3, price: { $numberLong: '10' } },
    { $mul: { price: 5 } },
    { _id: 3, price: { $numberLong: '50' } },
  ],
  [
    'min/',
    { _id: 1, highScore: 800, lowScore: 200 },
    { $min: { lowScore: 150, highScore: 900 } },
    { _id: 1, highScore: 800, lowScore: 150 },
  ],
  [
    'max/',
    { _id: 1, highScore: 800, lowScore: 200 },
    { $max: { highScore: 950, lowScore: 100 } },
    { _id: 1, highScore: 950, lowScore: 200 },
  ],
  [
    'rename/',
    { _id: 1, nmae: { first: 'george', last: 'washington' } },
    { $rename: { nmae: 'name' } },
    { _id: 1, name: { first: 'george', last: 'washington' } },
  ],
  [
    'rename/#rename-a-field-in-an-embedded-document',
    { _id: 1, name: { first: 'g', last: 'w' } },
    { $rename: { 'name.first': 'name.fname', x: 'y' } },
    { _id: 1, name: { last: 'w', fname: 'g' } },
  ],
  [
    'addToSet/',
    { _id: 1, letters: ['a', 'b'] },
    { $addToSet: { letters: ['c', 'd'] } },
    { _id: 1, letters: ['a', 'b', ['c', 'd']] },
  ],
  [
    'addToSet/#-each-modifier',
    { _id: 2, tags: ['electronics', 'supplies'] },
    { $addToSet: { tags: { $each: ['camera', 'electronics', 'accessories'] } } },
    { _id: 2, tags: ['electronics', 'supplies', 'camera', 'accessories'] },
  ],
  ['pop/', { _id: 1, scores: [8, 9, 10] }, { $pop: { scores: -1 } }, { _id: 1, scores: [9, 10] }],
  [
    'pull/#remove-all-items-that-equal-a-specified-value',
    { _id: 1, fruits: ['apples', 'pears', 'oranges', 'grapes', 'bananas'], vegetables: ['carrots', 'celery'] },
    { $pull: { fruits: { $in: ['apples', 'oranges'] }, vegetables: 'carrots' } },
    { _id: 1, fruits: ['pears', 'grapes', 'bananas'], vegetables: ['celery'] },
  ],
  [
    'pull/#remove-all-items-that-match-a-specified--pull-condition',
    { _id: 1, votes: [3, 5, 6, 7, 7, 8] },
    { $pull: { votes: { $gte: 6 } } },
    { _id: 1, votes: [3, 5] },
  ],
  [
    'pull/#remove-items-from-an-array-of-documents',
    {
      _id: 1,
      results: [
        { item: 'A', score: 5 },
        { item: 'B', score: 8 },
      ],
    },
    { $pull: { results: { score: 8, item: 'B' } } },
    { _id: 1, results: [{ item: 'A', score: 5 }] },
  ],
  ['pullAll/', { _id: 1, scores: [0, 2, 5, 5, 1, 0] }, { $pullAll: { scores: [0, 5] } }, { _id: 1, scores: [2, 1] }],
  [
    'push/#use--push-operator-with-multiple-modifiers',
    {
      _id: 5,
      quizzes: [
        { wk: 1, score: 10 },
        { wk: 2, score: 8 },
        { wk: 3, score: 5 },
        { wk: 4, score: 6 },
      ],
    },
    {
      $push: {
        quizzes: {
          $each: [
            { wk: 5, score: 8 },
            { wk: 6, score: 7 },
            { wk: 7, score: 6 },
          ],
          $sort: { score: -1 },
          $slice: 3,
        },
      },
    },
    {
      _id: 5,
      quizzes: [
        { wk: 1, score: 10 },
        { wk: 2, score: 8 },
        { wk: 5, score: 8 },
      ],
    },
  ],
  [
    'position/#add-elements-at-the-start-of-the-array',
    { _id: 1, scores: [100] },
    { $push: { scores: { $each: [50, 60, 70], $position: 0 } } },
    { _id: 1, scores: [50, 60, 70, 100] },
  ],
  [
    'position/#use-a-negative-array-index--position--to-add-elements-to-the-array',
    { _id: 3, scores: [50, 60, 20, 30, 70, 100] },
    { $push: { scores: { $position: -2, $each: [90, 80] } } },
    { _id: 3, scores: [50, 60, 20, 30, 90, 80, 70, 100] },
  ],
  [
    'slice/#slice-from-the-end-of-the-array',
    { _id: 1, scores: [40, 50, 60] },
    { $push: { scores: { $each: [80, 78, 86], $slice: -5 } } },
    { _id: 1, scores: [50, 60, 80, 78, 86] },
  ],
  [
    'sort/#sort-array-elements-that-are-not-documents',
    { _id: 2, tests: [89, 70, 89, 50] },
    { $push: { tests: { $each: [40, 60], $sort: 1 } } },
    { _id: 2, tests: [40, 50, 60, 70, 89, 89] },
  ],
  ['bit/#bitwise-and', { _id: 1, expdata: 13 }, { $bit: { expdata: { and: 10 } } }, { _id: 1, expdata: 8 }],
  ['bit/#bitwise-xor', { _id: 3, expdata: 1 }, { $bit: { expdata: { xor: 5 } } }, { _id: 3, expdata: 4 }],
  ['replace', { _id: 1, a: 1, b: 2 }, { c: 3 }, { _id: 1, c: 3 }],
];

const refused: readonly (readonly [code: number, before: Plain, update: Plain])[] = [
  [28, { _id: 1, a: 1 }, { $set: { 'a.b': 1 } }],
  [28, { _id: 1, a: [] }, { $push: { 'a.b': 1 } }],
  [28, { _id: 1, a: 'foo' }, { $pop: { 'a.b': 1 } }],
  [14, { _id: 1, a: 'x' }, { $inc: { a: 1 } }],
  [14, { _id: 1, a: 1 }, { $inc: { a: 'x' } }],
  [14, { _id: 1, a: 1 }, { $pop: { a: 1 } }],
  [2, { _id: 1, a: 1 }, { $push: { a: 1 } }],
  [2, { _id: 1, a: 1 }, { $addToSet: { a: 1 } }],
  [2, { _id: 1, a: 1 }, { $pull: { a: 1 } }],
  [2, { _id: 1, a: 1.5 }, { $bit: { a: { and: 1 } } }],
  [2, { _id: 1, a: { $numberLong: '9223372036854775807' } }, { $inc: { a: 1 } }],
  [66, { _id: 1 }, { $set: { _id: 2 } }],
  [66, { _id: 1 }, { _id: 2 }],
  [40, { _id: 1 }, { $set: { a: 1 }, $inc: { 'a.b': 1 } }],
  [9, { _id: 1 }, { $foo: { a: 1 } }],
  [9, { _id: 1 }, { $pop: { a: 2 } }],
  [2, { _id: 1, a: [1] }, { $rename: { 'a.0': 'b' } }],
];

const context = { inserts: false, date: new Date(0), timestamp: new Timestamp({ t: 1, i: 1 }) };

function change(before: Plain, update: Plain): Doc {
  const change = docFromJson(update);
  checkUpdate(change, false);
  return applyUpdate(docFromJson(before), change, context);
}

describe("the model's update", () => {
  for (const [page, before, update, after] of examples) {
    it(`does as ${page} shows`, () => {
      expect(JSON.stringify(toJson(change(before, update)))).to.equal(JSON.stringify(toJson(docFromJson(after))));
    });
  }

  it('refuses with the codes of MongoDB', () => {
    for (const [code, before, update] of refused) {
      expect(() => change(before, update), JSON.stringify(update))
        .to.throw(Refusal)
        .with.property('code', code);
    }
  });
});

describe("the model's upsert", () => {
  it('begins with the equalities of the query, as method/db.collection.update/#upsert-behavior says', () => {
    const filter = docFromJson({ $and: [{ b: 2 }], 'a.x': { $eq: 1 }, c: { $gt: 5 }, _id: 7 });
    const update = docFromJson({ $set: { 'a.y': 3 }, $setOnInsert: { d: 4 } });
    const made = upserted(filter, update, { ...context, inserts: true });
    expect(JSON.stringify(toJson(made))).to.equal(JSON.stringify({ _id: 7, a: { x: 1, y: 3 }, b: 2, d: 4 }));
  });

  it('refuses two values for one field', () => {
    const filter = docFromJson({ a: 1, $and: [{ a: 2 }] });
    expect(() => upserted(filter, docFromJson({ $set: { b: 1 } }), context))
      .to.throw(Refusal)
      .with.property('code', 54);
  });
});
