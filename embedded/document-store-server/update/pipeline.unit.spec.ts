import type { Document } from 'bson';
import { expect } from 'chai';
import { itRefuses, itUpdates, refusalCode, upserted } from './update-cases.js';

const stages = (...pipeline: Document[]) => pipeline as unknown as Document;

describe('an update by a pipeline', () => {
  itUpdates([
    [
      '$set computes from the document',
      stages({ $set: { c: { $add: ['$a', '$b'] } } }),
      { a: 1, b: 2 },
      { a: 1, b: 2, c: 3 },
    ],
    ['$addFields is $set', stages({ $addFields: { 'a.x': '$b' } }), { a: {}, b: 2 }, { a: { x: 2 }, b: 2 }],
    ['$unset removes', stages({ $unset: ['a', 'b.c'] }), { a: 1, b: { c: 1, d: 2 } }, { b: { d: 2 } }],
    ['$replaceWith keeps the _id', stages({ $replaceWith: '$a' }), { a: { x: 1 } }, { x: 1 }],
    ['$replaceRoot keeps the _id', stages({ $replaceRoot: { newRoot: { y: '$a' } } }), { a: 1 }, { y: 1 }],
    ['$project without _id keeps it', stages({ $project: { _id: 0, a: 1 } }), { a: 1, b: 2 }, { a: 1 }],
    ['$unset of _id keeps it', stages({ $unset: '_id' }), { a: 1 }, undefined],
    [
      'stages follow each other',
      stages({ $set: { b: '$a' } }, { $unset: 'a' }, { $set: { c: '$b' } }),
      { a: 1 },
      { b: 1, c: 1 },
    ],
    ['a pipeline that changes nothing changes nothing', stages({ $set: { a: 1 } }), { a: 1 }, undefined],
    ['no stage at all changes nothing', stages(), { a: 1 }, undefined],
    [
      '$$REMOVE takes a field away',
      stages({ $set: { a: { $cond: [{ $gt: ['$a', 5] }, '$$REMOVE', '$a'] } } }),
      { a: 9, b: 1 },
      { b: 1 },
    ],
    [
      'let gives variables',
      stages({ $set: { a: { $add: ['$a', '$$by'] } } }),
      { a: 1 },
      { a: 5 },
      { variables: { by: 4 } },
    ],
    ['$$NOW is the time of the command', stages({ $set: { a: '$$NOW' } }), {}, { a: new Date(0) }],
  ]);

  itRefuses([
    ['$set of another _id', 66, stages({ $set: { _id: 2 } }), {}],
    ['$replaceWith another _id', 66, stages({ $replaceWith: { _id: 2 } }), {}],
    ['$replaceWith what is no document', 40228, stages({ $replaceWith: '$a' }), { a: 1 }],
    ['an array as _id', 53, stages({ $set: { _id: [1] } }), {}],
    ['$match is not for updates', 72, stages({ $match: { a: 1 } }), {}],
    ['$lookup is not for updates', 72, stages({ $lookup: {} }), {}],
    ['an unknown stage', 40324, stages({ $strange: 1 }), {}],
    ['a modifier is no stage', 40324, stages({ $inc: { a: 1 } }), {}],
    ['two names in a stage', 40323, stages({ $set: { a: 1 }, $unset: 'b' }), {}],
    ['arrayFilters', 9, stages({ $set: { a: 1 } }), {}, { arrayFilters: [{ x: 1 }] }],
    ['an unknown variable', 17276, stages({ $set: { a: '$$by' } }), {}],
  ]);

  it('makes a document from what the query fixes', () => {
    const update = stages({ $set: { c: { $add: ['$a.b', 1] } } });
    expect(JSON.stringify(upserted(update, { _id: 'x', 'a.b': 1 }))).to.equal('{"_id":"x","a":{"b":1},"c":2}');
    expect(JSON.stringify(upserted(stages({ $replaceWith: { c: '$a' } }), { a: 1 }))).to.equal('{"_id":"made","c":1}');
    expect(JSON.stringify(upserted(stages({ $set: { _id: '$a' } }), { a: 1 }))).to.equal('{"_id":1,"a":1}');
    expect(refusalCode(() => upserted(stages({ $set: { _id: 2 } }), { _id: 1 }))).to.equal(66);
  });
});
