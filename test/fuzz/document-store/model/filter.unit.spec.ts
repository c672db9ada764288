import { expect } from 'chai';
import { docFromJson } from '../json.js';
import { checkFilter, matches } from './filter.js';
import { Refusal } from './values.js';

type Plain = Record<string, unknown>;
interface Example {
  readonly page: string;
  readonly docs: readonly Plain[];
  readonly found: readonly (readonly [filter: Plain, ids: readonly unknown[]])[];
}

/** Collections and queries of MongoDB's manual (7.0) with the answers that it shows; `page` follows `/docs/v7.0/`. */
const examples: readonly Example[] = [
  {
    page: 'tutorial/query-for-null-fields/',
    docs: [{ _id: 1, item: null }, { _id: 2 }],
    found: [
      [{ item: null }, [1, 2]],
      [{ item: { $ne: null } }, []],
      [{ item: { $type: 10 } }, [1]],
      [{ item: { $exists: false } }, [2]],
    ],
  },
  {
    page: 'tutorial/query-arrays/',
    docs: [
      { _id: 'journal', tags: ['blank', 'red'], dim_cm: [14, 21] },
      { _id: 'notebook', tags: ['red', 'blank'], dim_cm: [14, 21] },
      { _id: 'paper', tags: ['red', 'blank', 'plain'], dim_cm: [14, 21] },
      { _id: 'planner', tags: ['blank', 'red'], dim_cm: [22.85, 30] },
      { _id: 'postcard', tags: ['blue'], dim_cm: [10, 15.25] },
    ],
    found: [
      [{ tags: ['red', 'blank'] }, ['notebook']],
      [{ tags: { $all: ['red', 'blank'] } }, ['journal', 'notebook', 'paper', 'planner']],
      [{ tags: 'red' }, ['journal', 'notebook', 'paper', 'planner']],
      [{ dim_cm: { $gt: 25 } }, ['planner']],
      [{ dim_cm: { $gt: 15, $lt: 20 } }, ['journal', 'notebook', 'paper', 'postcard']],
      [{ dim_cm: { $elemMatch: { $gt: 22, $lt: 30 } } }, ['planner']],
      [{ 'dim_cm.1': { $gt: 25 } }, ['planner']],
      [{ tags: { $size: 3 } }, ['paper']],
    ],
  },
  {
    page: 'tutorial/query-array-of-documents/',
    docs: [
      {
        _id: 'journal',
        instock: [
          { warehouse: 'A', qty: 5 },
          { warehouse: 'C', qty: 15 },
        ],
      },
      { _id: 'notebook', instock: [{ warehouse: 'C', qty: 5 }] },
      {
        _id: 'paper',
        instock: [
          { warehouse: 'A', qty: 60 },
          { warehouse: 'B', qty: 15 },
        ],
      },
      {
        _id: 'planner',
        instock: [
          { warehouse: 'A', qty: 40 },
          { warehouse: 'B', qty: 5 },
        ],
      },
      {
        _id: 'postcard',
        instock: [
          { warehouse: 'B', qty: 15 },
          { warehouse: 'C', qty: 35 },
        ],
      },
    ],
    found: [
      [{ instock: { warehouse: 'A', qty: 5 } }, ['journal']],
      [{ instock: { qty: 5, warehouse: 'A' } }, []],
      [{ 'instock.qty': { $lte: 20 } }, ['journal', 'notebook', 'paper', 'planner', 'postcard']],
      [{ 'instock.0.qty': { $lte: 20 } }, ['journal', 'notebook', 'postcard']],
      [{ instock: { $elemMatch: { qty: 5, warehouse: 'A' } } }, ['journal']],
      [{ instock: { $elemMatch: { qty: { $gt: 10, $lte: 20 } } } }, ['journal', 'paper', 'postcard']],
      [{ 'instock.qty': { $gt: 10, $lte: 20 } }, ['journal', 'paper', 'planner', 'postcard']],
      [{ 'instock.qty': 5, 'instock.warehouse': 'A' }, ['journal', 'planner']],
    ],
  },
  {
    page: 'reference/operator/query/elemMatch/',
    docs: [
      { _id: 1, results: [82, 85, 88] },
      { _id: 2, results: [75, 88, 89] },
    ],
    found: [[{ results: { $elemMatch: { $gte: 80, $lt: 85 } } }, [1]]],
  },
  {
    page: 'reference/operator/query/elemMatch/#single-query-condition',
    docs: [
      {
        _id: 1,
        results: [
          { product: 'abc', score: 10 },
          { product: 'xyz', score: 5 },
        ],
      },
      {
        _id: 2,
        results: [
          { product: 'abc', score: 8 },
          { product: 'xyz', score: 7 },
        ],
      },
      {
        _id: 3,
        results: [
          { product: 'abc', score: 7 },
          { product: 'xyz', score: 8 },
        ],
      },
      {
        _id: 4,
        results: [
          { product: 'abc', score: 7 },
          { product: 'def', score: 8 },
        ],
      },
      { _id: 5, results: { product: 'xyz', score: 7 } },
    ],
    found: [
      [{ results: { $elemMatch: { product: 'xyz', score: { $gte: 8 } } } }, [3]],
      [{ results: { $elemMatch: { product: { $ne: 'xyz' } } } }, [1, 2, 3, 4]],
      [{ 'results.product': { $ne: 'xyz' } }, [4]],
    ],
  },
  {
    page: 'reference/operator/query/all/',
    docs: [
      {
        _id: 'a',
        tags: ['school', 'book', 'bag', 'headphone', 'appliance'],
        qty: [
          { size: 'S', num: 10, color: 'blue' },
          { size: 'M', num: 45, color: 'blue' },
          { size: 'L', num: 100, color: 'green' },
        ],
      },
      {
        _id: 'b',
        tags: ['appliance', 'school', 'book'],
        qty: [
          { size: '6', num: 100, color: 'green' },
          { size: '6', num: 50, color: 'blue' },
          { size: '8', num: 100, color: 'brown' },
        ],
      },
      {
        _id: 'c',
        tags: ['school', 'book'],
        qty: [
          { size: 'S', num: 10, color: 'blue' },
          { size: 'M', num: 100, color: 'blue' },
          { size: 'L', num: 100, color: 'green' },
        ],
      },
      { _id: 'd', tags: ['electronics', 'school'], qty: [{ size: 'M', num: 100, color: 'green' }] },
    ],
    found: [
      [{ tags: { $all: ['appliance', 'school', 'book'] } }, ['a', 'b']],
      [
        {
          qty: {
            $all: [{ $elemMatch: { size: 'M', num: { $gt: 50 } } }, { $elemMatch: { num: 100, color: 'green' } }],
          },
        },
        ['c', 'd'],
      ],
      [{ 'qty.num': { $all: [50] } }, ['b']],
      [{ 'qty.num': { $all: [] } }, []],
    ],
  },
  {
    page: 'reference/operator/query/all/#equivalent-to--and-operation',
    docs: [
      { _id: 1, tags: ['ssl', 'security'] },
      { _id: 2, tags: [['ssl', 'security'], 'x'] },
      { _id: 3, tags: 'ssl' },
    ],
    found: [
      [{ tags: { $all: [['ssl', 'security']] } }, [1, 2]],
      [{ tags: { $all: ['ssl'] } }, [1, 3]],
    ],
  },
  {
    page: 'reference/operator/query/mod/',
    docs: [
      { _id: 1, qty: 0 },
      { _id: 2, qty: 5 },
      { _id: 3, qty: 12 },
    ],
    found: [
      [{ qty: { $mod: [4, 0] } }, [1, 3]],
      [{ qty: { $mod: [4.5, 0] } }, [1, 3]],
    ],
  },
  {
    page: 'reference/operator/query/type/',
    docs: [
      { _id: 1, zipCode: '2030905' },
      { _id: 2, zipCode: 156 },
      { _id: 3, zipCode: { $numberLong: '3921412' } },
      { _id: 4, zipCode: { $numberInt: '88602117' } },
      { _id: 5, zipCode: ['834847278', '1893289032'] },
      { _id: 6, zipCode: { $numberDouble: '12.0' } },
    ],
    found: [
      [{ zipCode: { $type: 2 } }, [1, 5]],
      [{ zipCode: { $type: 'string' } }, [1, 5]],
      [{ zipCode: { $type: 1 } }, [6]],
      [{ zipCode: { $type: 'number' } }, [2, 3, 4, 6]],
      [{ zipCode: { $type: 'array' } }, [5]],
      [{ zipCode: { $type: ['string', 'double'] } }, [1, 5, 6]],
    ],
  },
  {
    page: 'reference/operator/query/regex/',
    docs: [
      { _id: 100, sku: 'abc123', description: 'Single line description.' },
      { _id: 101, sku: 'abc789', description: 'First line\nSecond line' },
      { _id: 102, sku: 'xyz456', description: 'Many spaces before     line' },
      { _id: 103, sku: 'xyz789', description: 'Multiple\nline description' },
      { _id: 104, sku: 'Abc789', description: 'SKU starts with A' },
    ],
    found: [
      [{ sku: { $regex: '789$' } }, [101, 103, 104]],
      [{ sku: { $regex: '^ABC', $options: 'i' } }, [100, 101, 104]],
      [{ description: { $regex: '^S', $options: 'm' } }, [100, 101, 104]],
      [{ description: { $regex: '^S' } }, [100, 104]],
      [{ description: { $regex: 'm.*line', $options: 'si' } }, [102, 103]],
      [{ description: { $regex: 'm.*line', $options: 'i' } }, [102]],
      [{ sku: { $in: [{ $regularExpression: { pattern: '^x', options: '' } }, 'abc123'] } }, [100, 102, 103]],
    ],
  },
  {
    page: 'reference/operator/query/not/',
    docs: [{ _id: 1, price: 1.99 }, { _id: 2, price: 2.5 }, { _id: 3 }],
    found: [[{ price: { $not: { $gt: 1.99 } } }, [1, 3]]],
  },
  {
    page: 'reference/operator/query/nor/',
    docs: [{ _id: 1, price: 1.99, sale: false }, { _id: 2, price: 1.99, sale: true }, { _id: 3 }, { _id: 4, price: 2 }],
    found: [[{ $nor: [{ price: 1.99 }, { sale: true }] }, [3, 4]]],
  },
  {
    page: 'reference/operator/query/nin/',
    docs: [{ _id: 1, tags: ['school', 'x'] }, { _id: 2, tags: ['y'] }, { _id: 3 }],
    found: [
      [{ tags: { $nin: ['school'] } }, [2, 3]],
      [{ tags: { $in: ['school', 'y'] } }, [1, 2]],
    ],
  },
];

describe("the model's filter", () => {
  for (const { page, docs, found } of examples) {
    it(`answers as ${page} shows`, () => {
      for (const [filter, ids] of found) {
        const query = docFromJson(filter);
        checkFilter(query);
        const answer = docs.filter((doc) => matches(docFromJson(doc), query)).map((doc) => doc['_id']);
        expect(answer, JSON.stringify(filter)).to.deep.equal(ids);
      }
    });
  }

  it('refuses as a bad value what the manual calls an error', () => {
    const refused = [
      { $and: [] },
      { $or: [{}, 1] },
      { $foo: 1 },
      { a: { $foo: 1 } },
      { a: { $in: 1 } },
      { a: { $not: 1 } },
      { a: { $gt: { $regularExpression: { pattern: 'a', options: '' } } } },
      { a: { $mod: [0, 1] } },
      { a: { $size: -1 } },
      { a: { $gt: 1, b: 2 } },
    ];
    for (const filter of refused) {
      expect(() => checkFilter(docFromJson(filter)), JSON.stringify(filter))
        .to.throw(Refusal)
        .with.property('code', 2);
    }
  });
});
