import { expect } from 'chai';
import type { Document } from 'mongodb';
import { failure } from '../../../embedded/document-store-server/test-server.js';
import { describeTargets } from './document-store-targets.js';
import { storedText, textOf, titleOf } from './exact-documents.js';

/** A document before and after a pipeline, without their `_id`; instead of the latter the code of a refusal. */
type PipelineUpdate = [before: Document, pipeline: Document[], after: Document | number];

const cases: Record<string, PipelineUpdate[]> = {
  '$set and $addFields': [
    [{ a: 1 }, [{ $set: { b: { $add: ['$a', 1] } } }], { a: 1, b: 2 }],
    [{ a: 1, b: 2 }, [{ $set: { a: '$b', b: '$a' } }], { a: 2, b: 1 }],
    [{ a: 1 }, [{ $addFields: { 'o.p': '$a' } }, { $set: { q: '$o.p' } }], { a: 1, o: { p: 1 }, q: 1 }],
    [{ a: 1 }, [{ $set: { a: 1 } }], { a: 1 }],
    [{ a: [1, 2] }, [{ $set: { a: { $concatArrays: ['$a', [3]] } } }], { a: [1, 2, 3] }],
    [{ n: 4 }, [{ $set: { state: { $cond: [{ $gt: ['$n', 3] }, 'many', 'few'] } } }], { n: 4, state: 'many' }],
    [{ a: 1 }, [{ $set: { a: '$none', b: '$$REMOVE' } }], {}],
    [{ a: 1 }, [{ $set: { _id: 9 } }], 66],
  ],
  '$unset and $project': [
    [{ a: 1, b: { c: 1, d: 2 } }, [{ $unset: ['a', 'b.c'] }], { b: { d: 2 } }],
    [{ a: 1, b: 2, c: 3 }, [{ $project: { b: 1 } }], { b: 2 }],
    [{ a: 1, b: 2 }, [{ $project: { x: '$a' } }, { $set: { y: '$x' } }], { x: 1, y: 1 }],
  ],
  '$replaceRoot and $replaceWith': [
    [{ o: { a: 1 } }, [{ $replaceRoot: { newRoot: '$o' } }], { a: 1 }],
    [{ a: 1 }, [{ $replaceWith: { $mergeObjects: [{ a: 0, b: 0 }, '$$ROOT'] } }], { a: 1, b: 0 }],
    [{ a: 1 }, [{ $replaceWith: { _id: 9, a: 1 } }], 66],
  ],
  'other stages': [
    [{ a: 1 }, [{ $match: {} }], 72],
    [{ a: 1 }, [{ $group: { _id: null } }], 72],
  ],
};

describeTargets('updates by pipelines', (target) => {
  for (const [title, updates] of Object.entries(cases)) {
    describe(title, () => {
      for (const [before, pipeline, after] of updates) {
        const outcome = typeof after === 'number' ? `is refused with ${after}` : `makes ${titleOf(after)}`;
        it(`${titleOf(pipeline)} ${outcome} of ${titleOf(before)}`, async () => {
          const collection = target().collection('piped');
          await collection.insertOne({ _id: 1, ...before });
          const run = () => collection.updateOne({ _id: 1 }, pipeline);
          if (typeof after === 'number') expect((await failure(run())).code).to.equal(after);
          else expect((await run()).matchedCount).to.equal(1);
          const kept = typeof after === 'number' ? before : after;
          expect(await storedText(collection, 1)).to.equal(textOf({ _id: 1, ...kept }));
        });
      }
    });
  }

  it('change many documents, each by its own fields, and upsert', async () => {
    const collection = target().collection('piped');
    await collection.insertMany([1, 2, 3].map((_id) => ({ _id, n: _id })));
    const pipeline = [{ $set: { double: { $multiply: ['$n', 2] } } }];
    expect((await collection.updateMany({ n: { $gt: 1 } }, pipeline)).modifiedCount).to.equal(2);
    expect(
      await collection
        .find({ double: { $exists: true } })
        .sort({ _id: 1 })
        .toArray(),
    ).to.deep.equal([
      { _id: 2, n: 2, double: 4 },
      { _id: 3, n: 3, double: 6 },
    ]);
    await collection.updateOne({ _id: 9, n: 7 }, pipeline, { upsert: true });
    expect(await collection.findOne({ _id: 9 })).to.deep.equal({ _id: 9, n: 7, double: 14 });
    const after = { returnDocument: 'after' } as const;
    const changed = await collection.findOneAndUpdate({ _id: 1 }, [{ $set: { n: { $add: ['$n', 1] } } }], after);
    expect(changed).to.deep.equal({ _id: 1, n: 2 });
  });

  it('read variables of let', async () => {
    const collection = target().collection('piped');
    await collection.insertOne({ _id: 1, n: 1 });
    const pipeline = [{ $set: { n: { $add: ['$n', '$$more'] } } }];
    await collection.updateOne({ $expr: { $eq: ['$n', '$$was'] } }, pipeline, { let: { more: 5, was: 1 } });
    expect(await collection.findOne()).to.deep.equal({ _id: 1, n: 6 });
  });
});
