import { Long } from 'mongodb';
import { describeTargets } from './document-store-targets.js';
import { gives, refused } from './pipeline-cases.js';

const sales = [
  { shop: 'a', n: 5, tags: ['x', 'y'], at: { city: 'p' } },
  { shop: 'b', n: 3, tags: [], at: { city: 'q' } },
  { shop: 'a', n: 1, tags: ['y'] },
  { shop: 'c', n: 2, tags: 'z' },
  { shop: 'a', n: 4, tags: null },
];
const items = [{ a: 1, list: [{ b: 1 }, { b: 2, c: 3 }], o: { p: 1, q: 2 } }];
const int = (n: number) => Long.fromNumber(n);

describeTargets('stages', (target) => {
  describe('$match', () =>
    gives(target, sales, [
      [
        [{ $match: { shop: 'a', n: { $gt: 3 } } }, { $sort: { n: 1 } }, { $project: { n: 1 } }],
        [
          { _id: 5, n: 4 },
          { _id: 1, n: 5 },
        ],
      ],
      [[{ $match: {} }, { $match: { _id: 2 } }, { $project: { shop: 1 } }], [{ _id: 2, shop: 'b' }]],
      [[{ $project: { m: '$n' } }, { $match: { m: 2 } }], [{ _id: 4, m: 2 }]],
      [[{ $match: { n: 99 } }], []],
      [[{ $match: 1 }], 15959],
    ]));

  describe('$project', () => {
    gives(target, items, [
      [[{ $project: { a: 1 } }], [{ _id: 1, a: 1 }]],
      [[{ $project: { a: 1, _id: 0 } }], [{ a: 1 }]],
      [[{ $project: { list: 0, o: 0 } }], [{ _id: 1, a: 1 }]],
      [[{ $project: { 'o.p': 1, _id: 0 } }], [{ o: { p: 1 } }]],
      [[{ $project: { o: { q: 1 }, _id: 0 } }], [{ o: { q: 2 } }]],
      [[{ $project: { 'list.b': 1, _id: 0 } }], [{ list: [{ b: 1 }, { b: 2 }] }]],
      [[{ $project: { 'list.b': 0, o: 0, _id: 0 } }], [{ a: 1, list: [{}, { c: 3 }] }]],
      [[{ $project: { _id: 0, x: '$a', y: '$o.q' } }], [{ x: 1, y: 2 }]],
      [[{ $project: { z: '$a', a: 1 } }], [{ _id: 1, a: 1, z: 1 }]],
      [[{ $project: { _id: 0, x: '$none' } }], [{}]],
      [[{ $project: { _id: 0, x: ['$a', '$none'] } }], [{ x: [1, null] }]],
      [[{ $project: { _id: 0, x: { y: '$a', z: { w: '$o.p' } } } }], [{ x: { y: 1, z: { w: 1 } } }]],
      [[{ $project: { _id: '$a', b: '$list.b' } }], [{ _id: 1, b: [1, 2] }]],
      [[{ $project: { _id: 0, x: { $cond: [{ $gt: ['$a', 5] }, '$a', '$$REMOVE'] } } }], [{}]],
      [[{ $project: { _id: 0, x: { $literal: '$a' } } }], [{ x: '$a' }]],
      [[{ $project: { a: 1, o: 0 } }], 31254],
      [[{ $project: { a: 0, o: 1 } }], 31253],
    ]);
    gives(target, [], [[[{ $project: {} }], 51272]]);
  });

  for (const name of ['$addFields', '$set']) {
    describe(name, () =>
      gives(target, items, [
        [[{ [name]: { z: 2 } }, { $project: { list: 0, o: 0 } }], [{ _id: 1, a: 1, z: 2 }]],
        [[{ [name]: { a: { $add: ['$a', 1] } } }, { $project: { list: 0, o: 0 } }], [{ _id: 1, a: 2 }]],
        [[{ [name]: { 'o.r': '$a', 'o.p': 9 } }, { $project: { o: 1, _id: 0 } }], [{ o: { p: 9, q: 2, r: 1 } }]],
        [[{ [name]: { o: { r: 3 } } }, { $project: { o: 1, _id: 0 } }], [{ o: { p: 1, q: 2, r: 3 } }]],
        [[{ [name]: { 'new.x': 1 } }, { $project: { new: 1, _id: 0 } }], [{ new: { x: 1 } }]],
        [
          [{ [name]: { 'list.d': '$a' } }, { $project: { list: 1, _id: 0 } }],
          [
            {
              list: [
                { b: 1, d: 1 },
                { b: 2, c: 3, d: 1 },
              ],
            },
          ],
        ],
        [[{ [name]: { list: '$$REMOVE', o: '$o.p' } }], [{ _id: 1, a: 1, o: 1 }]],
        [[{ [name]: { x: '$none' } }, { $project: { x: 1, a: 1, _id: 0 } }], [{ a: 1 }]],
      ]),
    );
  }

  describe('$unset', () =>
    gives(target, items, [
      [[{ $unset: 'list' }, { $unset: ['o', '_id'] }], [{ a: 1 }]],
      [[{ $unset: ['list.b', 'o.p', 'none'] }], [{ _id: 1, a: 1, list: [{}, { c: 3 }], o: { q: 2 } }]],
    ]));

  describe('$sort, $skip and $limit', () =>
    gives(target, sales, [
      [
        [{ $sort: { n: 1 } }, { $project: { n: 1 } }, { $limit: 2 }],
        [
          { _id: 3, n: 1 },
          { _id: 4, n: 2 },
        ],
      ],
      [
        [{ $sort: { shop: 1, n: -1 } }, { $skip: 1 }, { $limit: 2 }, { $project: { n: 1 } }],
        [
          { _id: 5, n: 4 },
          { _id: 3, n: 1 },
        ],
      ],
      [
        [{ $sort: { n: -1 } }, { $limit: 4 }, { $sort: { n: 1 } }, { $limit: 1 }, { $project: { n: 1 } }],
        [{ _id: 4, n: 2 }],
      ],
      [[{ $limit: 3 }, { $skip: 9 }], []],
      [[{ $limit: 3 }, { $count: 'c' }], [{ c: 3 }]],
      [[{ $limit: int(2) }, { $limit: 4 }, { $count: 'c' }], [{ c: 2 }]],
      [[{ $limit: 0 }], 15958],
      [[{ $sort: {} }], 15976],
    ]));

  describe('$group', () =>
    gives(
      target,
      [...sales, { shop: null, n: 1 }, { n: int(1) }],
      [
        [
          [{ $group: { _id: '$shop', n: { $sum: '$n' } } }],
          [
            { _id: 'a', n: 10 },
            { _id: 'b', n: 3 },
            { _id: 'c', n: 2 },
            { _id: null, n: int(2) },
          ],
        ],
        [[{ $match: { shop: { $type: 'string' } } }, { $group: { _id: null, n: { $sum: 1 } } }], [{ _id: null, n: 5 }]],
        [[{ $match: { n: 1 } }, { $group: { _id: 'same', n: { $sum: 1 } } }], [{ _id: 'same', n: 3 }]],
        [
          [{ $match: { n: { $lte: 2 } } }, { $group: { _id: { n: '$n' }, c: { $sum: 1 } } }],
          [
            { _id: { n: 1 }, c: 3 },
            { _id: { n: 2 }, c: 1 },
          ],
        ],
        [
          [{ $match: { shop: 'a' } }, { $group: { _id: { $gt: ['$n', 3] }, c: { $sum: 1 } } }],
          [
            { _id: true, c: 2 },
            { _id: false, c: 1 },
          ],
        ],
        [[{ $match: { n: 99 } }, { $group: { _id: null, c: { $sum: 1 } } }], []],
        [[{ $group: { _id: '$at.city' } }], [{ _id: 'p' }, { _id: 'q' }, { _id: null }]],
        [[{ $group: { c: { $sum: 1 } } }], 15955],
        [[{ $group: { _id: null, c: { $noSuchOperator: 1 } } }], 15952],
        [[{ $group: { _id: null, c: 1 } }], 40234],
      ],
    ));

  describe('$count', () =>
    gives(target, sales, [
      [[{ $count: 'n' }], [{ n: 5 }]],
      [[{ $match: { shop: 'a' } }, { $count: 'of a' }], [{ 'of a': 3 }]],
      [[{ $match: { shop: 'none' } }, { $count: 'n' }], []],
      [[{ $count: '' }], refused],
      [[{ $count: '$n' }], refused],
      [[{ $count: 'a.b' }], refused],
    ]));

  describe('$sortByCount', () =>
    gives(target, sales, [
      [
        [{ $match: { shop: { $ne: 'c' } } }, { $sortByCount: '$shop' }],
        [
          { _id: 'a', count: 3 },
          { _id: 'b', count: 1 },
        ],
      ],
      [
        [{ $unwind: '$tags' }, { $match: { tags: { $ne: 'z' } } }, { $sortByCount: '$tags' }],
        [
          { _id: 'y', count: 2 },
          { _id: 'x', count: 1 },
        ],
      ],
      [
        [{ $sortByCount: { $lt: ['$n', 3] } }],
        [
          { _id: false, count: 3 },
          { _id: true, count: 2 },
        ],
      ],
    ]));

  describe('$unwind', () =>
    gives(target, sales, [
      [
        [{ $unwind: '$tags' }, { $project: { tags: 1 } }],
        [
          { _id: 1, tags: 'x' },
          { _id: 1, tags: 'y' },
          { _id: 3, tags: 'y' },
          { _id: 4, tags: 'z' },
        ],
      ],
      [
        [{ $unwind: { path: '$tags', preserveNullAndEmptyArrays: true } }, { $project: { tags: 1 } }],
        [
          { _id: 1, tags: 'x' },
          { _id: 1, tags: 'y' },
          { _id: 2 },
          { _id: 3, tags: 'y' },
          { _id: 4, tags: 'z' },
          { _id: 5, tags: null },
        ],
      ],
      [
        [{ $unwind: { path: '$tags', includeArrayIndex: 'at' } }, { $project: { at: 1 } }],
        [
          { _id: 1, at: int(0) },
          { _id: 1, at: int(1) },
          { _id: 3, at: int(0) },
          { _id: 4, at: null },
        ],
      ],
      [[{ $unwind: '$none' }], []],
      [[{ $unwind: 'tags' }], 28818],
    ]));

  describe('$replaceRoot and $replaceWith', () =>
    gives(target, items, [
      [[{ $replaceRoot: { newRoot: '$o' } }], [{ p: 1, q: 2 }]],
      [[{ $replaceWith: '$o' }], [{ p: 1, q: 2 }]],
      [[{ $replaceWith: { x: '$a', y: { z: '$o.q' } } }], [{ x: 1, y: { z: 2 } }]],
      [[{ $replaceRoot: { newRoot: { $mergeObjects: ['$o', { r: '$a' }] } } }], [{ p: 1, q: 2, r: 1 }]],
      [
        [{ $unwind: '$list' }, { $replaceRoot: { newRoot: '$list' } }],
        [{ b: 1 }, { b: 2, c: 3 }],
      ],
      [[{ $replaceRoot: { newRoot: '$a' } }], 40228],
      [[{ $replaceRoot: { newRoot: '$none' } }], 40228],
    ]));

  describe('$bucket', () =>
    gives(target, sales, [
      [
        [{ $bucket: { groupBy: '$n', boundaries: [1, 3, 6] } }],
        [
          { _id: 1, count: 2 },
          { _id: 3, count: 3 },
        ],
      ],
      [
        [{ $bucket: { groupBy: '$n', boundaries: [2, 4], default: 'rest' } }],
        [
          { _id: 2, count: 2 },
          { _id: 'rest', count: 3 },
        ],
      ],
      [
        [{ $bucket: { groupBy: '$n', boundaries: [1, 3, 9], output: { sum: { $sum: '$n' }, most: { $max: '$n' } } } }],
        [
          { _id: 1, sum: 3, most: 2 },
          { _id: 3, sum: 12, most: 5 },
        ],
      ],
      [[{ $bucket: { groupBy: '$n', boundaries: [3, 1] } }], 40194],
      [[{ $bucket: { groupBy: '$n', boundaries: [1] } }], 40192],
      [[{ $bucket: { groupBy: '$n' } }], 40198],
    ]));

  describe('$facet', () => {
    gives(target, sales, [
      [
        [
          { $match: { n: { $gt: 1 } } },
          {
            $facet: {
              shops: [{ $group: { _id: '$shop', n: { $sum: 1 } } }, { $sort: { _id: 1 } }],
              top: [{ $sort: { n: -1 } }, { $limit: 1 }, { $project: { n: 1 } }],
              none: [{ $match: { n: 99 } }],
              total: [{ $count: 'n' }],
            },
          },
        ],
        [
          {
            shops: [
              { _id: 'a', n: 2 },
              { _id: 'b', n: 1 },
              { _id: 'c', n: 1 },
            ],
            top: [{ _id: 1, n: 5 }],
            none: [],
            total: [{ n: 4 }],
          },
        ],
      ],
      [[{ $facet: { x: [{ $facet: { y: [] } }] } }], 40600],
      [[{ $facet: {} }], 40169],
    ]);
    gives(target, [], [[[{ $facet: { x: [{ $count: 'n' }] } }], [{ x: [] }]]]);
  });

  describe('that cannot be', () =>
    gives(target, sales, [
      [[{ $noSuchStage: 1 }], 40324],
      [[{ $match: {}, $limit: 1 }], 40323],
      [[{}], 40323],
      [[{ $project: { x: { $noSuchExpression: 1 } } }], 31325],
      [[{ $addFields: { x: { $noSuchExpression: 1 } } }], 168],
    ]));
});
