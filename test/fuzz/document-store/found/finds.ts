/** Cases that once disagreed, as the fuzzer printed them or made smaller: what was wrong and the case. */
export const finds: readonly (readonly [what: string, found: object])[] = [
  [
    'a sort by two arrays was answered',
    {
      docs: [{ _id: 1, a: [], b: [1] }],
      indexes: [],
      operation: { kind: 'find', filter: {}, sort: { a: 1, b: 1 } },
    },
  ],
  [
    'an array within an array was no element to sort by',
    {
      docs: [{ _id: 1, c: {} }, { _id: 6, c: [[], '😀'] }, { _id: 7 }],
      indexes: [],
      operation: { kind: 'find', filter: {}, sort: { c: -1 } },
    },
  ],
  [
    'fields of different elements were put together to sort by',
    {
      docs: [
        {
          _id: 1,
          a: [
            { b: 1, c: 9 },
            { b: 2, c: 3 },
          ],
        },
        { _id: 2, a: { b: 1, c: 5 } },
      ],
      indexes: [],
      operation: { kind: 'find', filter: {}, sort: { 'a.b': 1, 'a.c': 1 } },
    },
  ],
  [
    'infinity was not equal to itself',
    {
      docs: [{ _id: 0, b: { $numberDouble: 'Infinity' } }],
      indexes: [],
      operation: { kind: 'find', filter: { b: { $numberDouble: 'Infinity' } } },
    },
  ],
  [
    'what is missing was not below MaxKey',
    {
      docs: [{ _id: 1 }],
      indexes: [],
      operation: { kind: 'find', filter: { 'c.é': { $lt: { $maxKey: 1 } } } },
    },
  ],
  [
    'a sparse index held null for an element without the field, and refused it to another document',
    {
      docs: [
        { _id: 1, a: [{ b: 1 }, {}] },
        { _id: 2, a: [{ b: 2 }, {}] },
      ],
      indexes: [{ key: { 'a.b': 1 }, unique: true, sparse: true }],
      operation: { kind: 'find', filter: {} },
    },
  ],
  [
    'a hinted sparse index was asked for null',
    {
      docs: [{ _id: 1, a: [{ c: 1 }, {}] }],
      indexes: [{ key: { 'a.c': 1 }, sparse: true }],
      indexesLast: true,
      operation: { kind: 'find', filter: { 'a.c': null } },
    },
  ],
  [
    'a partial index of numbers up to a bound was thought to hold NaN',
    {
      docs: [
        { _id: 1, a: { $numberDouble: 'NaN' } },
        { _id: 2, a: 3 },
      ],
      indexes: [{ key: { a: 1 }, partialFilterExpression: { a: { $lte: 5 } } }],
      operation: { kind: 'find', filter: { a: { $numberDouble: 'NaN' } } },
    },
  ],
  [
    'a partial index of NaN was thought to hold numbers',
    {
      docs: [{ _id: 1, a: 6 }],
      indexes: [{ key: { a: 1 }, partialFilterExpression: { a: { $gte: { $numberDouble: 'NaN' } } } }],
      operation: { kind: 'find', filter: { a: { $gte: 5 } } },
    },
  ],
  [
    'a partial index of what exists was thought to hold all that is below MaxKey',
    {
      docs: [{ _id: 1 }, { _id: 2, b: 3, a: 1 }],
      indexes: [{ key: { a: 1 }, partialFilterExpression: { b: { $exists: true } } }],
      operation: { kind: 'find', filter: { b: { $lt: { $maxKey: 1 } }, a: null } },
    },
  ],
  [
    'a line was thought to end inside of a surrogate pair',
    {
      docs: [{ _id: 1, c: '😀' }],
      indexes: [],
      operation: { kind: 'find', filter: { c: { $regularExpression: { pattern: '^$', options: 'im' } } } },
    },
  ],
  [
    'the model let a line begin behind the last end of a line',
    {
      docs: [{ _id: 1, c: 'a\n' }],
      indexes: [],
      operation: { kind: 'find', filter: { c: { $regularExpression: { pattern: '^$', options: 'm' } } } },
    },
  ],
];
