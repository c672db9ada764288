import { Long } from 'bson';
import { itRefuses, itUpdates } from './update-cases.js';

describe('$rename', () => {
  itUpdates([
    ['$rename moves a field to the end', { $rename: { a: 'c' } }, { a: 1, b: 2 }, { b: 2, c: 1 }],
    ['$rename takes the place of its target', { $rename: { a: 'b' } }, { a: [1], b: 2, c: 3 }, { b: [1], c: 3 }],
    [
      '$rename into and out of documents',
      { $rename: { 'a.b': 'c.d', e: 'a.f' } },
      { a: { b: 1, x: 1 }, e: 2 },
      { a: { x: 1, f: 2 }, c: { d: 1 } },
    ],
    [
      '$rename of what is missing does nothing, and leaves the target',
      { $rename: { x: 'b', 'a.x': 'c', 'd.x': 'e' } },
      { a: {}, b: 1 },
      undefined,
    ],
    ['$rename beside other operators', { $rename: { a: 'z' }, $set: { m: 1 } }, { a: 1 }, { m: 1, z: 1 }],
    [
      '$rename to an equal value of another type',
      { $rename: { a: 'b' } },
      { a: Long.fromNumber(1), b: 1 },
      { b: Long.fromNumber(1) },
    ],
    ['$rename of a null value', { $rename: { a: 'b' } }, { a: null }, { b: null }],
    ['$rename of an item that is not in the array does nothing', { $rename: { 'a.5': 'b' } }, { a: [1] }, undefined],
  ]);
  itRefuses([
    ['$rename to itself', 2, { $rename: { a: 'a' } }, { a: 1 }],
    ['$rename into itself', 2, { $rename: { a: 'a.b' } }, { a: 1 }],
    ['$rename to its own parent', 2, { $rename: { 'a.b': 'a' } }, { a: { b: 1 } }],
    ['$rename to a number', 2, { $rename: { a: 1 } }, { a: 1 }],
    ['$rename of an item of an array', 2, { $rename: { 'a.0': 'b' } }, { a: [1] }],
    ['$rename of a field within an array', 2, { $rename: { 'a.0.x': 'b' } }, { a: [{ x: 1 }] }],
    ['$rename by a name out of an array', 28, { $rename: { 'a.x': 'b' } }, { a: [{ x: 1 }] }],
    ['$rename into an array', 2, { $rename: { b: 'a.0' } }, { a: [1], b: 2 }],
    ['$rename to a field within an array', 2, { $rename: { b: 'a.0.x' } }, { a: [{}], b: 2 }],
    ['$rename out of a scalar', 28, { $rename: { 'a.x': 'b' } }, { a: 1 }],
    ['$rename into a scalar', 28, { $rename: { b: 'a.x' } }, { a: 1, b: 2 }],
    ['$rename of _id', 66, { $rename: { _id: 'a' } }, {}],
    ['$rename to _id', 66, { $rename: { a: '_id' } }, { a: 2 }],
    ['$rename with $[] in the source', 2, { $rename: { 'a.$[].b': 'c' } }, {}],
    ['$rename with $ in the target', 2, { $rename: { c: 'a.$.b' } }, {}],
    ['$rename to an empty name', 56, { $rename: { a: 'b..c' } }, { a: 1 }],
    ['$rename beside $set of the source', 40, { $rename: { a: 'b' }, $set: { a: 1 } }, {}],
    ['$rename beside $set of the target', 40, { $rename: { a: 'b' }, $set: { 'b.c': 1 } }, {}],
    ['$rename of two fields to one', 40, { $rename: { a: 'c', b: 'c' } }, {}],
    ['$rename to a $ name', 52, { $rename: { a: '$b' } }, { a: 1 }],
  ]);
});
