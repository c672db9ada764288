import { expect } from 'chai';
import type { Collection, Document } from 'mongodb';
import { type Doc, describeTargets } from './document-store-targets.js';

/** The stages of a plan, from the outermost inwards, and the index it reads. */
function planOf(explained: Document): { stages: string[]; index: string | undefined } {
  const stages: string[] = [];
  let index: string | undefined;
  let stage: Document | undefined = explained['queryPlanner'].winningPlan;
  // where MongoDB chose its other engine, the plan lies one deeper
  stage = stage?.['queryPlan'] ?? stage;
  for (; stage !== undefined; stage = stage['inputStage']) {
    stages.push(stage['stage']);
    index = stage['indexName'] ?? index;
  }
  return { stages, index };
}

function costOf({ executionStats }: Document): [found: number, keys: number, documents: number] {
  expect(executionStats['executionSuccess']).to.equal(true);
  expect(executionStats['executionTimeMillis']).to.be.a('number');
  return [executionStats['nReturned'], executionStats['totalKeysExamined'], executionStats['totalDocsExamined']];
}

describeTargets('explain', (target) => {
  let stock: Collection<Doc>;
  before(async () => {
    stock = target().collection('stock');
    await stock.insertMany(
      Array.from({ length: 100 }, (_, _id) => ({
        _id,
        kind: ['food', 'tool', 'toy', 'book'][_id % 4],
        n: _id,
        z: -_id,
      })),
    );
    await stock.createIndex({ kind: 1, n: 1 });
  });

  it('tells of a scan that it examined every document', async () => {
    const explained = await stock.find({ z: -7 }).explain('executionStats');
    const { stages, index } = planOf(explained);
    expect([stages.at(-1), index]).to.deep.equal(['COLLSCAN', undefined]);
    expect(costOf(explained)).to.deep.equal([1, 0, 100]);
    expect(explained['queryPlanner'].namespace).to.equal(`${target().db.databaseName}.${stock.collectionName}`);
  });

  it('tells of an index by its name, and of the keys and documents examined', async () => {
    const explained = await stock.find({ kind: 'toy' }).explain('executionStats');
    const { stages, index } = planOf(explained);
    expect(stages).to.include.members(['FETCH', 'IXSCAN']);
    expect(index).to.equal('kind_1_n_1');
    expect(costOf(explained)).to.deep.equal([25, 25, 25]);
  });

  it('tells that equality and range and order come from one index', async () => {
    const query = { kind: 'toy', n: { $gte: 30, $lt: 70 } };
    const explained = await stock.find(query).sort({ n: 1 }).explain('executionStats');
    const { stages, index } = planOf(explained);
    expect(stages).to.not.include('SORT');
    expect(index).to.equal('kind_1_n_1');
    expect(costOf(explained)).to.deep.equal([10, 10, 10]);
  });

  it('tells of a sort that no index gives', async () => {
    const { stages } = planOf(await stock.find({ kind: 'toy' }).sort({ z: 1 }).explain());
    expect(stages).to.include.members(['SORT', 'IXSCAN']);
  });

  it('tells of keys examined in vain', async () => {
    const explained = await stock.find({ kind: 'toy', z: -2 }).explain('executionStats');
    expect(costOf(explained)).to.deep.equal([1, 25, 25]);
  });

  it('tells of a hint that it was taken', async () => {
    const scanned = await stock.find({ kind: 'toy' }).hint({ $natural: 1 }).explain('executionStats');
    expect(planOf(scanned).stages.at(-1)).to.equal('COLLSCAN');
    expect(costOf(scanned)).to.deep.equal([25, 0, 100]);
    const hinted = await stock
      .find({ z: { $lt: 0 } })
      .hint('kind_1_n_1')
      .explain('executionStats');
    expect(planOf(hinted).index).to.equal('kind_1_n_1');
    expect(costOf(hinted)).to.deep.equal([99, 100, 100]);
  });

  it('tells the plan alone where nothing more is wanted', async () => {
    const explained = await stock.find({ kind: 'toy' }).explain('queryPlanner');
    expect(explained['executionStats']).to.equal(undefined);
    expect(explained['queryPlanner'].rejectedPlans).to.be.an('array');
    expect(explained['ok']).to.equal(1);
  });

  it('tells whether an index lies over arrays, is unique, sparse or partial', async () => {
    const lists = target().collection('lists');
    await lists.createIndex({ tags: 1 }, { sparse: true });
    await lists.insertMany([
      { _id: 1, tags: ['x', 'y'] },
      { _id: 2, tags: 'x' },
    ]);
    const { queryPlanner } = await lists.find({ tags: 'x' }).explain();
    const access = (queryPlanner.winningPlan.queryPlan ?? queryPlanner.winningPlan).inputStage;
    const { stage, keyPattern, isMultiKey, isUnique, isSparse, isPartial, direction } = access;
    expect([stage, keyPattern, direction]).to.deep.equal(['IXSCAN', { tags: 1 }, 'forward']);
    expect({ isMultiKey, isUnique, isSparse, isPartial }).to.deep.equal({
      isMultiKey: true,
      isUnique: false,
      isSparse: true,
      isPartial: false,
    });
  });

  it('tells of writes without doing them', async () => {
    const explain = (command: Document) =>
      target().db.command({ explain: { ...command }, verbosity: 'executionStats' });
    const q = { kind: 'toy' };
    const commands: Document[] = [
      { delete: stock.collectionName, deletes: [{ q, limit: 0 }] },
      { update: stock.collectionName, updates: [{ q, u: { $set: { gone: true } }, multi: true }] },
      { findAndModify: stock.collectionName, query: q, remove: true },
    ];
    for (const command of commands) {
      const explained = await explain(command);
      expect(planOf(explained).index, JSON.stringify(command)).to.equal('kind_1_n_1');
      expect(explained['executionStats'].totalKeysExamined).to.be.at.least(1);
    }
    expect(await stock.countDocuments({ ...q, gone: { $exists: false } })).to.equal(25);
  });

  it('tells of counts and distinct values', async () => {
    const name = stock.collectionName;
    const query = { kind: 'toy' };
    const explain = (command: Document) => target().db.command({ explain: command, verbosity: 'queryPlanner' });
    expect(planOf(await explain({ count: name, query })).index).to.equal('kind_1_n_1');
    expect(planOf(await explain({ distinct: name, key: 'n', query })).index).to.equal('kind_1_n_1');
  });

  it('tells of pipelines', async () => {
    const pipeline = [{ $match: { kind: 'toy' } }, { $sort: { n: -1 } }];
    expect(planOf(await stock.aggregate(pipeline).explain('queryPlanner')).index).to.equal('kind_1_n_1');
  });
});
