import { Decimal128, type Document, Long, serialize } from 'bson';
import { expect } from 'chai';
import { documentValue } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { parseFilter } from './filter.js';
import { matchesFilter } from './match.js';

const bytes = (document: Document) => documentValue(Buffer.from(serialize(document, { ignoreUndefined: false })));
const matches = (query: Document, document: Document) => matchesFilter(parseFilter(bytes(query)), bytes(document));

/** query, documents that match, documents that do not */
const cases: [string, Document, Document[], Document[]][] = [
  [
    'equality',
    { a: 1 },
    [{ a: 1 }, { a: Long.fromNumber(1) }, { a: Decimal128.fromString('1.0') }, { a: [2, 1] }],
    [{ a: '1' }, {}, { a: [[1]] }],
  ],
  ['equality with null', { a: null }, [{ a: null }, {}, { a: [null] }], [{ a: 0 }, { a: [] }]],
  [
    'equality with null behind a path',
    { 'a.b': null },
    [{}, { a: 1 }, { a: {} }, { a: [{}] }],
    [{ a: [] }, { a: [1] }, { a: { b: 1 } }],
  ],
  ['equality with an array', { a: [1, 2] }, [{ a: [1, 2] }, { a: [[1, 2]] }], [{ a: [2, 1] }, { a: [1, 2, 3] }]],
  [
    'equality with a document, in its field order',
    { a: { x: 1, y: 2 } },
    [{ a: { x: 1, y: 2 } }],
    [{ a: { y: 2, x: 1 } }, { a: { x: 1 } }],
  ],
  ['$ne', { a: { $ne: 1 } }, [{ a: 2 }, {}, { a: [2] }], [{ a: 1 }, { a: [2, 1] }]],
  [
    '$gt within one type',
    { a: { $gt: 5 } },
    [{ a: 6 }, { a: [1, 9] }],
    [{ a: 5 }, { a: '6' }, { a: null }, {}, { a: Number.NaN }],
  ],
  ['$lt excludes NaN', { a: { $lt: 5 } }, [{ a: 4.9 }, { a: Number.NEGATIVE_INFINITY }], [{ a: Number.NaN }, { a: 5 }]],
  [
    'infinity as equal to itself',
    { a: { $gte: Number.POSITIVE_INFINITY } },
    [{ a: Number.POSITIVE_INFINITY }, { a: Decimal128.fromString('Infinity') }],
    [{ a: Number.NEGATIVE_INFINITY }, { a: Number.NaN }, { a: 1 }],
  ],
  ['$gte null', { a: { $gte: null } }, [{ a: null }, {}], [{ a: 1 }, { a: 'x' }]],
  ['ranges met by different items', { a: { $gt: 5, $lt: 3 } }, [{ a: [2, 6] }], [{ a: [4] }, { a: 4 }]],
  ['$lte of text', { a: { $lte: 'b' } }, [{ a: 'b' }, { a: '' }], [{ a: 'ba' }, { a: 1 }]],
  [
    '$in with null and a pattern',
    { a: { $in: [1, null, /^x/] } },
    [{ a: 1 }, {}, { a: 'xy' }, { a: ['q', 'x'] }],
    [{ a: 2 }, { a: 'yx' }],
  ],
  ['$nin', { a: { $nin: [1, 2] } }, [{ a: 3 }, {}], [{ a: 1 }, { a: [3, 2] }]],
  [
    '$and $or $nor',
    { $or: [{ a: 1 }, { b: 1 }], $nor: [{ c: 1 }], $and: [{ d: 1 }] },
    [
      { a: 1, d: 1 },
      { b: 1, d: 1 },
    ],
    [{ a: 1, c: 1, d: 1 }, { d: 1 }],
  ],
  ['$not', { a: { $not: { $gt: 5 } } }, [{ a: 5 }, {}, { a: 'x' }], [{ a: 6 }, { a: [1, 6] }]],
  ['$not of a pattern', { a: { $not: /^x/ } }, [{ a: 'y' }, {}], [{ a: 'xy' }]],
  ['$exists', { a: { $exists: true } }, [{ a: null }, { a: [] }], [{}]],
  [
    '$exists behind an array',
    { 'a.b': { $exists: false } },
    [{ a: [] }, { a: [{ c: 1 }] }],
    [{ a: [{ c: 1 }, { b: 1 }] }],
  ],
  [
    '$type',
    { a: { $type: ['number', 'array'] } },
    [{ a: 1 }, { a: 1.5 }, { a: [] }, { a: ['x', 1] }],
    [{ a: 'x' }, {}],
  ],
  [
    '$regex with options',
    { a: { $regex: '^AB.C$', $options: 'is' } },
    [{ a: 'ab\nc' }, { a: 'abxc\n' }],
    [{ a: 'abc' }],
  ],
  ['$all', { a: { $all: ['x', /^y/] } }, [{ a: ['x', 'yy'] }], [{ a: ['x'] }, { a: 'x' }, { a: [] }]],
  ['$all of one scalar', { a: { $all: [1] } }, [{ a: 1 }, { a: [1, 2] }], [{ a: 2 }]],
  ['$all of nothing', { a: { $all: [] } }, [], [{ a: [] }, { a: 1 }]],
  ['$elemMatch of values', { a: { $elemMatch: { $gt: 5, $lt: 8 } } }, [{ a: [1, 7] }], [{ a: [2, 9] }, { a: 7 }]],
  [
    '$elemMatch of documents',
    { a: { $elemMatch: { x: 1, y: 2 } } },
    [{ a: [{ x: 1, y: 2 }] }],
    [{ a: [{ x: 1 }, { y: 2 }] }, { a: { x: 1, y: 2 } }],
  ],
  ['$size', { a: { $size: 2 } }, [{ a: [1, 2] }], [{ a: [1] }, { a: 2 }, {}]],
  [
    'a path through an array',
    { 'a.b': 2 },
    [{ a: [{ b: 1 }, { b: 2 }] }, { a: { b: [1, 2] } }],
    [{ a: [[{ b: 2 }]] }, { a: 2 }],
  ],
  ['a path by position', { 'a.1': 5, 'a.0.b': 1 }, [{ a: [{ b: 1 }, 5] }], [{ a: [5, { b: 1 }] }]],
  ['names that look like numbers', { 'a.1': 5 }, [{ a: { 1: 5 } }, { a: [0, 5] }], [{ a: [5] }]],
  ['an empty query', {}, [{}, { a: 1 }], []],
];

describe('a filter', () => {
  for (const [name, query, yes, no] of cases) {
    it(`asks for ${name}`, () => {
      for (const document of yes) expect(matches(query, document), JSON.stringify(document)).to.equal(true);
      for (const document of no) expect(matches(query, document), JSON.stringify(document)).to.equal(false);
    });
  }

  it('is refused by name when an operator is unknown or out of scope', () => {
    const refused: Document[] = [
      { a: { $near: 1 } },
      { a: { $mod: [2, 0] } },
      { $where: 'true' },
      { $expr: {} },
      { $text: { $search: 'x' } },
      { a: { $regex: 'x', $options: 'x' } },
      { a: { $regex: '(?>x)' } },
      { a: { $in: 1 } },
      { a: { $in: [{ $gt: 1 }] } },
      { a: { $gt: 1, b: 1 } },
      { $or: [] },
      { a: { $type: 'strange' } },
      { a: { $size: -1 } },
      { a: { $not: 1 } },
    ];
    for (const query of refused) {
      expect(() => parseFilter(bytes(query)), JSON.stringify(query))
        .to.throw(CommandError)
        .with.property('code', 2);
    }
  });
});
