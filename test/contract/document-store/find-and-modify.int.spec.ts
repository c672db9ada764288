import { expect } from 'chai';
import type { Collection, Document } from 'mongodb';
import { failure } from '../../../embedded/document-store-server/test-server.js';
import { type Doc, describeTargets } from './document-store-targets.js';

describeTargets('findAndModify', (target) => {
  let jobs: Collection<Doc>;
  const run = (command: Document) => target().db.command({ findAndModify: jobs.collectionName, ...command });
  const stored = () => jobs.find().sort({ _id: 1 }).toArray();
  beforeEach(async () => {
    jobs = target().collection('jobs');
    await jobs.insertMany([
      { _id: 1, p: 3 },
      { _id: 2, p: 9 },
      { _id: 3, p: 5 },
    ]);
  });

  it('changes the first in the order asked for, and gives it as it was or as it is', async () => {
    const best = await jobs.findOneAndUpdate({}, { $set: { taken: true } }, { sort: { p: -1 } });
    expect(best).to.deep.equal({ _id: 2, p: 9 });
    const options = { sort: { p: -1 }, returnDocument: 'after' } as const;
    const next = await jobs.findOneAndUpdate({ taken: { $ne: true } }, { $set: { taken: true } }, options);
    expect(next).to.deep.equal({ _id: 3, p: 5, taken: true });
    expect(await stored()).to.deep.equal([
      { _id: 1, p: 3 },
      { _id: 2, p: 9, taken: true },
      { _id: 3, p: 5, taken: true },
    ]);
  });

  it('replaces, keeping the _id', async () => {
    expect(await jobs.findOneAndReplace({ _id: 1 }, { q: 1 }, { returnDocument: 'after' })).to.deep.equal({
      _id: 1,
      q: 1,
    });
  });

  it('removes, and gives what was removed', async () => {
    const least = await jobs.findOneAndDelete({}, { sort: { p: 1 }, projection: { p: 1, _id: 0 } });
    expect(least).to.deep.equal({ p: 3 });
    expect((await stored()).map(({ _id }) => _id)).to.deep.equal([2, 3]);
  });

  it('gives null where nothing is found', async () => {
    expect(await jobs.findOneAndUpdate({ _id: 99 }, { $set: { p: 1 } })).to.equal(null);
    expect(await jobs.findOneAndReplace({ _id: 99 }, { p: 1 })).to.equal(null);
    expect(await jobs.findOneAndDelete({ _id: 99 })).to.equal(null);
    expect(await target().collection('absent').findOneAndDelete({})).to.equal(null);
    expect(await stored()).to.have.length(3);
  });

  it('inserts where nothing is found and it is told to', async () => {
    const after = { upsert: true, returnDocument: 'after' } as const;
    expect(await jobs.findOneAndUpdate({ _id: 8, p: 2 }, { $inc: { p: 1 } }, after)).to.deep.equal({ _id: 8, p: 3 });
    expect(await jobs.findOneAndReplace({ _id: 9 }, { p: 4 }, after)).to.deep.equal({ _id: 9, p: 4 });
    expect(await jobs.findOneAndUpdate({ _id: 10 }, { $set: { p: 5 } }, { upsert: true })).to.equal(null);
    expect(await stored()).to.have.length(6);
  });

  it('projects what it gives', async () => {
    const projection = { p: 1, _id: 0 };
    expect(await jobs.findOneAndUpdate({ _id: 1 }, { $set: { x: 1 } }, { projection })).to.deep.equal({ p: 3 });
    const after = { projection: { p: 0 }, returnDocument: 'after' } as const;
    expect(await jobs.findOneAndUpdate({ _id: 1 }, { $set: { y: 2 } }, after)).to.deep.equal({ _id: 1, x: 1, y: 2 });
  });

  it('says in lastErrorObject what it did', async () => {
    const found = await run({ query: { _id: 1 }, update: { $set: { p: 4 } } });
    expect([found['lastErrorObject'], found['value']]).to.deep.equal([
      { n: 1, updatedExisting: true },
      { _id: 1, p: 3 },
    ]);
    const missed = await run({ query: { _id: 99 }, update: { $set: { p: 4 } } });
    expect([missed['lastErrorObject'], missed['value']]).to.deep.equal([{ n: 0, updatedExisting: false }, null]);
    const made = await run({ query: { _id: 99 }, update: { $set: { p: 4 } }, upsert: true, new: true });
    expect([made['lastErrorObject'], made['value']]).to.deep.equal([
      { n: 1, updatedExisting: false, upserted: 99 },
      { _id: 99, p: 4 },
    ]);
    const removed = await run({ query: { _id: 99 }, remove: true });
    expect([removed['lastErrorObject'], removed['value']]).to.deep.equal([{ n: 1 }, { _id: 99, p: 4 }]);
    expect((await run({ query: { _id: 99 }, remove: true }))['lastErrorObject']).to.deep.equal({ n: 0 });
  });

  it('is refused for the reasons that updates are, and changes nothing then', async () => {
    await jobs.createIndex({ p: 1 }, { unique: true });
    const refused: [Document, number][] = [
      [{ query: { _id: 1 }, update: { $set: { p: 9 } } }, 11000],
      [{ query: { _id: 1 }, update: { $inc: { p: 'x' } } }, 14],
      [{ query: { _id: 1 }, update: { $set: { 'p.x': 1 } } }, 28],
      [{ query: { _id: 1 }, update: { $set: { _id: 7 } } }, 66],
      [{ query: { _id: 1 }, update: { _id: 7, p: 1 } }, 66],
      [{ query: { _id: 1 }, update: { $set: { p: 1 }, $inc: { p: 1 } } }, 40],
      [{ query: { _id: 1 } }, 9],
      [{ query: { _id: 1 }, remove: true, update: { $set: { p: 1 } } }, 9],
      [{ query: { _id: 1 }, remove: true, new: true }, 9],
      [{ query: { _id: 1 }, remove: true, upsert: true }, 9],
    ];
    for (const [command, code] of refused) {
      expect((await failure(run(command))).code, JSON.stringify(command)).to.equal(code);
    }
    const err = await failure(jobs.findOneAndUpdate({ _id: 1 }, { $set: { p: 9 } }));
    expect([err.code, err['keyPattern'], err['keyValue']]).to.deep.equal([11000, { p: 1 }, { p: 9 }]);
    expect((await stored()).map(({ p }) => p)).to.deep.equal([3, 9, 5]);
  });

  it('hands each of many callers another document', async () => {
    await jobs.insertMany(Array.from({ length: 30 }, (_, i) => ({ _id: i + 10, p: i })));
    const taken = await Promise.all(
      Array.from({ length: 33 }, () =>
        jobs.findOneAndUpdate({ taken: { $exists: false } }, { $set: { taken: true } }, { sort: { p: 1 } }),
      ),
    );
    expect(new Set(taken.map((job) => job?._id)).size).to.equal(33);
    expect(taken).to.not.include(null);
  });
});
