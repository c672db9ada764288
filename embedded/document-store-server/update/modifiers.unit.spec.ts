import { expect } from 'chai';
import { type BsonValue, documentValue, fieldsOf } from '../bson/value.js';
import { applyTo, bytes, itRefuses, itUpdates, refusalCode } from './update-cases.js';

describe('modifiers', () => {
  itUpdates([
    [
      'new fields come in the order of their names, not of the operators',
      { $set: { z: 1, b: 1 }, $inc: { a: 1 } },
      {},
      { a: 1, b: 1, z: 1 },
    ],
    [
      'new fields of embedded documents come in the order of their names',
      { $set: { 'd.z': 1, 'd.a': 1, c: 1 } },
      { d: {} },
      { d: { a: 1, z: 1 }, c: 1 },
    ],
    [
      'numbers in paths to arrays are applied in their order',
      { $set: { 'a.10': 1, 'a.2': 2 } },
      { a: [] },
      { a: [null, null, 2, null, null, null, null, null, null, null, 1] },
    ],
    ['capitals come before small letters', { $set: { a: 1, B: 1 } }, {}, { B: 1, a: 1 }],
    [
      'several operators on several fields of one document',
      { $set: { 'a.b': 1 }, $unset: { 'a.c': '' }, $inc: { 'a.d': 1 } },
      { a: { c: 1, d: 1 } },
      { a: { d: 2, b: 1 } },
    ],
    ['an empty modifier is accepted and changes nothing', { $set: {}, $inc: {} }, { a: 1 }, undefined],
  ]);
  it('names that are numbers are added to a document as numbers are ordered', () => {
    const after = applyTo({ $set: { 'a.10': 1, 'a.9': 1, 'a.b': 1 } }, bytes({ _id: 1 }));
    const [, [, a]] = fieldsOf(documentValue(after)) as [unknown, [string, BsonValue]];
    expect(fieldsOf(a).map(([name]) => name)).to.deep.equal(['9', '10', 'b']);
  });
  itRefuses([
    ['two operators on one path', 40, { $set: { a: 1 }, $inc: { a: 1 } }, {}],
    ['a path and a path within it', 40, { $set: { a: 1, 'a.b': 1 } }, {}],
    ['a path within and then the path', 40, { $set: { 'a.b': 1, a: 1 } }, {}],
    ['an unknown modifier', 9, { $strange: { a: 1 } }, {}],
    ['a field beside modifiers', 9, { $set: { a: 1 }, b: 1 }, {}],
    ['a modifier with a string', 9, { $set: 'a' }, {}],
    ['a modifier with an array', 9, { $inc: [1] }, {}],
    ['a modifier inside a replacement', 52, { a: 1, $set: { b: 1 } }, {}],
  ]);
  it('an update that fails leaves the document and its bytes', () => {
    const document = bytes({ _id: 1, a: 1, b: 'x' });
    const before = Buffer.from(document);
    expect(refusalCode(() => applyTo({ $set: { a: 2 }, $inc: { b: 1 } }, document))).to.equal(14);
    expect(document.equals(before)).to.equal(true);
  });
});

describe('$[] and $[identifier]', () => {
  itUpdates([
    ['$[] changes all items', { $inc: { 'a.$[]': 1 } }, { a: [1, 2] }, { a: [2, 3] }],
    [
      '$[] changes a field in all items',
      { $set: { 'a.$[].x': 1 } },
      { a: [{ x: 0 }, { y: 0 }] },
      { a: [{ x: 1 }, { y: 0, x: 1 }] },
    ],
    [
      '$[] twice goes through arrays in arrays',
      { $inc: { 'a.$[].$[]': 1 } },
      { a: [[1, 2], [3]] },
      { a: [[2, 3], [4]] },
    ],
    ['$[] on an empty array changes nothing', { $set: { 'a.$[]': 1 } }, { a: [] }, undefined],
    ['$[] with $unset leaves nulls', { $unset: { 'a.$[]': '' } }, { a: [1, 2] }, { a: [null, null] }],
    [
      '$[identifier] changes what its filter finds',
      { $set: { 'a.$[x]': 9 } },
      { a: [1, 5, 7] },
      { a: [1, 9, 9] },
      { arrayFilters: [{ x: { $gte: 5 } }] },
    ],
    [
      '$[identifier] asks fields of items',
      { $inc: { 'a.$[x].n': 1 } },
      { a: [{ k: 1, n: 1 }, { k: 2, n: 1 }, 3] },
      { a: [{ k: 1, n: 1 }, { k: 2, n: 2 }, 3] },
      { arrayFilters: [{ 'x.k': 2 }] },
    ],
    [
      '$[identifier] that finds nothing changes nothing',
      { $set: { 'a.$[x]': 9 } },
      { a: [1] },
      undefined,
      { arrayFilters: [{ x: 2 }] },
    ],
    [
      '$[identifier] through two arrays',
      { $set: { 'a.$[x].b.$[y]': 0 } },
      {
        a: [
          { k: 1, b: [1, 2] },
          { k: 2, b: [1, 2] },
        ],
      },
      {
        a: [
          { k: 1, b: [1, 2] },
          { k: 2, b: [1, 0] },
        ],
      },
      { arrayFilters: [{ 'x.k': 2 }, { y: 2 }] },
    ],
    [
      '$[identifier] with $and and $or',
      { $set: { 'a.$[x]': 0 } },
      { a: [1, 2, 3] },
      { a: [0, 2, 0] },
      { arrayFilters: [{ $or: [{ x: 1 }, { $and: [{ x: 3 }] }] }] },
    ],
    [
      'two identifiers on one item change different fields',
      { $set: { 'a.$[x].p': 1, 'a.$[y].q': 1 } },
      { a: [{ n: 1 }] },
      { a: [{ n: 1, p: 1, q: 1 }] },
      { arrayFilters: [{ 'x.n': 1 }, { 'y.n': 1 }] },
    ],
    [
      'filters see the items as they were',
      { $set: { 'a.$[x].n': 2, 'a.$[y].m': 1 } },
      { a: [{ n: 1 }] },
      { a: [{ n: 2 }] },
      { arrayFilters: [{ 'x.n': 1 }, { 'y.n': 2 }] },
    ],
  ]);
  itRefuses([
    ['$[] where there is no array', 2, { $set: { 'a.$[]': 1 } }, {}],
    ['$[] on a number', 2, { $set: { 'a.$[]': 1 } }, { a: 1 }],
    ['$[] first in a path', 2, { $set: { '$[]': 1 } }, {}],
    ['$[] through scalars', 28, { $set: { 'a.$[].b': 1 } }, { a: [1] }],
    ['$[] beside a plain path to the array', 40, { $set: { 'a.$[]': 1, 'a.0': 1 } }, { a: [1] }],
    ['$[identifier] without a filter', 2, { $set: { 'a.$[x]': 1 } }, { a: [1] }],
    [
      '$[identifier] and $[] that change one place of one item',
      40,
      { $set: { 'a.$[x]': 1, 'a.$[]': 2 } },
      { a: [1] },
      { arrayFilters: [{ x: 1 }] },
    ],
    ['arrayFilters that are not used', 9, { $set: { a: 1 } }, {}, { arrayFilters: [{ x: 1 }] }],
    ['arrayFilters with two names in one', 9, { $set: { 'a.$[x]': 1 } }, {}, { arrayFilters: [{ x: 1, y: 1 }] }],
    ['arrayFilters with one name twice', 9, { $set: { 'a.$[x]': 1 } }, {}, { arrayFilters: [{ x: 1 }, { x: 2 }] }],
    ['arrayFilters that are empty', 9, { $set: { 'a.$[x]': 1 } }, {}, { arrayFilters: [{}] }],
    ['arrayFilters with a capital name', 2, { $set: { 'a.$[X]': 1 } }, {}, { arrayFilters: [{ X: 1 }] }],
    ['arrayFilters with a replacement', 9, { a: 1 }, {}, { arrayFilters: [{ x: 1 }] }],
    ['arrayFilters that are numbers', 14, { $set: { 'a.$[x]': 1 } }, {}, { arrayFilters: [1 as never] }],
  ]);
});

describe('the positional $', () => {
  itUpdates([
    [
      '$ is the first item that the query found',
      { $set: { 'a.$': 9 } },
      { a: [1, 2, 2] },
      { a: [1, 9, 2] },
      { query: { a: 2 } },
    ],
    [
      '$ with a field of the item',
      { $inc: { 'a.$.n': 1 } },
      {
        a: [
          { k: 1, n: 1 },
          { k: 2, n: 1 },
        ],
      },
      {
        a: [
          { k: 1, n: 1 },
          { k: 2, n: 2 },
        ],
      },
      { query: { _id: 1, 'a.k': 2 } },
    ],
    [
      '$ with $elemMatch',
      { $set: { 'a.$.n': 9 } },
      {
        a: [
          { k: 1, n: 1 },
          { k: 1, n: 5 },
        ],
      },
      {
        a: [
          { k: 1, n: 1 },
          { k: 1, n: 9 },
        ],
      },
      { query: { a: { $elemMatch: { k: 1, n: { $gt: 2 } } } } },
    ],
    [
      '$ with $elemMatch on values',
      { $set: { 'a.$': 9 } },
      { a: [1, 5] },
      { a: [1, 9] },
      { query: { a: { $elemMatch: { $gt: 2, $lt: 6 } } } },
    ],
    [
      '$ with an array within a document',
      { $set: { 'a.b.$': 9 } },
      { a: { b: [1, 2] } },
      { a: { b: [1, 9] } },
      { query: { 'a.b': { $gte: 2 } } },
    ],
    ['$ with $unset leaves null', { $unset: { 'a.$': '' } }, { a: [1, 2] }, { a: [1, null] }, { query: { a: 2 } }],
    [
      '$ with two conditions that found one item',
      { $set: { 'a.$.n': 9 } },
      { a: [{ k: 1 }, { k: 2, n: 1 }] },
      { a: [{ k: 1 }, { k: 2, n: 9 }] },
      { query: { 'a.k': 2, 'a.n': 1 } },
    ],
    [
      '$ beside a plain position',
      { $set: { 'a.$.n': 9, 'a.1.m': 1 } },
      { a: [{ k: 1 }, { k: 2 }] },
      { a: [{ k: 1 }, { k: 2, m: 1, n: 9 }] },
      { query: { 'a.k': 2 } },
    ],
  ]);
  itRefuses([
    ['$ when the query met no array', 2, { $set: { 'a.$': 9 } }, { a: [1] }, { query: { _id: 1 } }],
    ['$ when the query only denies', 2, { $set: { 'a.$': 9 } }, { a: [1] }, { query: { a: { $ne: 5 } } }],
    [
      '$ when conditions found different items',
      2,
      { $set: { 'a.$': 9 } },
      { a: [1, 2] },
      { query: { $and: [{ a: 1 }, { a: 2 }] } },
    ],
    ['$ twice in a path', 2, { $set: { 'a.$.b.$': 1 } }, { a: [] }, { query: { a: 1 } }],
    ['$ first in a path', 2, { $set: { '$.a': 1 } }, {}],
    ['$ and its own position on the same place', 40, { $set: { 'a.$': 9, 'a.0': 1 } }, { a: [1] }, { query: { a: 1 } }],
  ]);
});
