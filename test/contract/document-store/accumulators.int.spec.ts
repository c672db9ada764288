import { expect } from 'chai';
import { Decimal128, type Document, Double, Long } from 'mongodb';
import { describeTargets } from './document-store-targets.js';
import { gives } from './pipeline-cases.js';

const values: Document[] = [
  { a: 3, t: 'x', o: { k: 1 } },
  { a: null, t: 'y', o: { l: 2 } },
  { a: 1, t: 'x', o: { k: 3 } },
  { a: 'text', t: 'z' },
  { a: 2.5, t: 'y', o: null },
  { t: 'x' },
];
const whole = [{ a: 1 }, { a: 2 }, { a: 4 }, { a: 5 }];
const long = (text: string) => Long.fromString(text);
const over = (accumulator: Document, documents: Document = {}) => [
  { $match: documents },
  { $group: { _id: null, v: accumulator } },
];
const inOrder = (accumulator: Document) => [{ $sort: { _id: 1 } }, { $group: { _id: null, v: accumulator } }];

describeTargets('accumulators', (target) => {
  describe('$sum', () => {
    gives(target, values, [
      [over({ $sum: '$a' }), [{ _id: null, v: 6.5 }]],
      [over({ $sum: 1 }), [{ _id: null, v: 6 }]],
      [over({ $sum: '$none' }), [{ _id: null, v: 0 }]],
      [over({ $sum: '$t' }), [{ _id: null, v: 0 }]],
      [over({ $sum: { $cond: [{ $eq: ['$t', 'x'] }, 1, 0] } }), [{ _id: null, v: 3 }]],
    ]);
    gives(target, [{ a: 2147483647 }, { a: 1 }], [[over({ $sum: '$a' }), [{ _id: null, v: long('2147483648') }]]]);
    gives(
      target,
      [{ a: long('9007199254740993') }, { a: 1 }],
      [[over({ $sum: '$a' }), [{ _id: null, v: long('9007199254740994') }]]],
    );
    gives(
      target,
      [{ a: new Decimal128('0.10') }, { a: new Decimal128('0.20') }, { a: 1 }],
      [[over({ $sum: '$a' }), [{ _id: null, v: new Decimal128('1.30') }]]],
    );
  });

  describe('$avg', () =>
    gives(
      target,
      [...whole, { a: null }, { a: 'text' }, {}],
      [
        [over({ $avg: '$a' }), [{ _id: null, v: new Double(3) }]],
        [over({ $avg: '$none' }), [{ _id: null, v: null }]],
        [over({ $avg: '$a' }, { a: { $type: 'string' } }), [{ _id: null, v: null }]],
      ],
    ));

  describe('$min and $max', () =>
    gives(target, values, [
      [over({ $min: '$a' }), [{ _id: null, v: 1 }]],
      [over({ $max: '$a' }), [{ _id: null, v: 'text' }]],
      [over({ $max: '$a' }, { a: { $type: 'number' } }), [{ _id: null, v: 3 }]],
      [over({ $min: '$none' }), [{ _id: null, v: null }]],
      [over({ $max: '$t' }), [{ _id: null, v: 'z' }]],
    ]));

  describe('$first and $last', () =>
    gives(target, values, [
      [inOrder({ $first: '$t' }), [{ _id: null, v: 'x' }]],
      [inOrder({ $last: '$t' }), [{ _id: null, v: 'x' }]],
      [inOrder({ $first: '$a' }), [{ _id: null, v: 3 }]],
      [inOrder({ $last: '$a' }), [{ _id: null, v: null }]],
      [
        [{ $sort: { t: 1, _id: -1 } }, { $group: { _id: '$t', v: { $first: '$_id' } } }, { $sort: { _id: 1 } }],
        [
          { _id: 'x', v: 6 },
          { _id: 'y', v: 5 },
          { _id: 'z', v: 4 },
        ],
      ],
    ]));

  describe('$push', () =>
    gives(target, values, [
      [inOrder({ $push: '$a' }), [{ _id: null, v: [3, null, 1, 'text', 2.5] }]],
      [inOrder({ $push: '$none' }), [{ _id: null, v: [] }]],
      [
        [{ $match: { t: 'x' } }, ...inOrder({ $push: { id: '$_id', a: '$a' } })],
        [{ _id: null, v: [{ id: 1, a: 3 }, { id: 3, a: 1 }, { id: 6 }] }],
      ],
    ]));

  describe('$addToSet', () =>
    it('keeps each value once', async () => {
      const collection = target().collection('sets');
      await collection.insertMany([
        { _id: 1, a: 1, o: { k: 1, l: 2 } },
        { _id: 2, a: long('1'), o: { l: 2, k: 1 } },
        { _id: 3, a: 'x', o: { k: 1, l: 2 } },
        { _id: 4, a: null },
        { _id: 5 },
      ]);
      const [found] = await collection
        .aggregate([{ $group: { _id: null, a: { $addToSet: '$a' }, o: { $addToSet: '$o' } } }])
        .toArray();
      expect(found?.['a']).to.have.deep.members([1, 'x', null]);
      expect(found?.['o'].map((o: Document) => JSON.stringify(o)).sort()).to.deep.equal([
        '{"k":1,"l":2}',
        '{"l":2,"k":1}',
      ]);
    }));

  describe('$count', () => gives(target, values, [[over({ $count: {} }), [{ _id: null, v: 6 }]]]));

  describe('$mergeObjects', () =>
    gives(target, values, [[inOrder({ $mergeObjects: '$o' }), [{ _id: null, v: { k: 3, l: 2 } }]]]));

  describe('$stdDevPop and $stdDevSamp', () =>
    gives(
      target,
      [...whole.map(({ a }) => ({ a: a * 2 })), { a: 'text' }],
      [
        [over({ $stdDevPop: '$a' }), [{ _id: null, v: new Double(Math.sqrt(10)) }]],
        [over({ $stdDevSamp: '$a' }, { a: { $lte: 2 } }), [{ _id: null, v: null }]],
        [over({ $stdDevPop: '$a' }, { a: 4 }), [{ _id: null, v: new Double(0) }]],
      ],
    ));

  describe('several in one $group', () =>
    gives(target, whole, [
      [
        [
          {
            $group: {
              _id: { $mod: ['$a', 2] },
              least: { $min: '$a' },
              most: { $max: '$a' },
              sum: { $sum: '$a' },
              n: { $sum: 1 },
            },
          },
          { $sort: { _id: 1 } },
        ],
        [
          { _id: 0, least: 2, most: 4, sum: 6, n: 2 },
          { _id: 1, least: 1, most: 5, sum: 6, n: 2 },
        ],
      ],
    ]));
});
