import { expect } from 'chai';
import type { Document } from 'mongodb';
import { failure, startTestServer, type TestServer } from '../test-server.js';

interface Doc extends Document {
  _id: number;
}

describe('explain of the document store', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
    const orders = server.db.collection<Doc>('orders');
    await orders.createIndexes([
      { key: { shop: 1, total: -1 }, name: 'shops' },
      { key: { name: 1 }, name: 'names' },
      { key: { tags: 1 }, name: 'tags' },
      { key: { total: 1 }, name: 'totals', sparse: true },
      { key: { at: 1 }, name: 'times', partialFilterExpression: { open: true } },
    ]);
    await orders.insertMany(
      Array.from({ length: 100 }, (_, _id) => ({
        _id,
        shop: `s${_id % 4}`,
        total: _id % 10,
        name: ['ada', 'bob', 'abe'][_id % 3],
        tags: [`t${_id % 5}`, 'all'],
        open: _id % 2 === 0,
        at: new Date(_id),
      })),
    );
  });
  after(() => server.stop());

  const explain = (command: Document, verbosity = 'executionStats') =>
    server.db.command({ explain: command, verbosity });
  const find = (filter: Document, more: Document = {}) => explain({ find: 'orders', filter, ...more });
  const innermost = (stage: Document): Document =>
    stage['inputStage'] === undefined ? stage : innermost(stage['inputStage']);
  const stages = (stage: Document | undefined): string[] =>
    stage === undefined ? [] : [stage['stage'], ...stages(stage['inputStage'])];
  const bounds = async (filter: Document, more: Document = {}) =>
    innermost((await find(filter, more))['queryPlanner'].winningPlan)['indexBounds'];

  it('tells the plan alone with queryPlanner, and the figures with the rest', async () => {
    const planned = await explain({ find: 'orders', filter: { shop: 's1' } }, 'queryPlanner');
    expect(planned).to.include.keys('explainVersion', 'queryPlanner', 'command', 'serverInfo');
    expect(planned).to.not.have.property('executionStats');
    expect(planned['queryPlanner'].namespace).to.equal('shop.orders');
    expect(planned['queryPlanner'].parsedQuery).to.deep.equal({ shop: 's1' });
    for (const verbosity of ['executionStats', 'allPlansExecution']) {
      const { executionStats } = await explain({ find: 'orders', filter: { shop: 's1' } }, verbosity);
      const { executionSuccess, nReturned, totalKeysExamined, totalDocsExamined } = executionStats;
      expect([executionSuccess, nReturned, totalKeysExamined, totalDocsExamined]).to.deep.equal([true, 25, 25, 25]);
    }
    expect((await failure(explain({ find: 'orders' }, 'much'))).code).to.equal(2);
  });

  it('shows an index scan with its index, and below a fetch', async () => {
    const { winningPlan, rejectedPlans } = (await find({ shop: 's1', name: 'ada' }))['queryPlanner'];
    expect(stages(winningPlan)).to.deep.equal(['FETCH', 'IXSCAN']);
    const { indexBounds: _, ...scan } = winningPlan.inputStage;
    expect(scan).to.deep.equal({
      stage: 'IXSCAN',
      keyPattern: { shop: 1, total: -1 },
      indexName: 'shops',
      isMultiKey: false,
      isUnique: false,
      isSparse: false,
      isPartial: false,
      indexVersion: 2,
      direction: 'forward',
    });
    expect(rejectedPlans.map((plan: Document) => innermost(plan)['indexName'])).to.deep.equal(['names']);
    const multikey = innermost((await find({ tags: 't1' }))['queryPlanner'].winningPlan);
    expect([multikey['indexName'], multikey['isMultiKey']]).to.deep.equal(['tags', true]);
    expect(stages((await find({ open: true }))['queryPlanner'].winningPlan)).to.deep.equal(['COLLSCAN']);
    const none = await explain({ find: 'none', filter: { a: 1 } });
    expect([none['queryPlanner'].winningPlan.stage, none['executionStats'].nReturned]).to.deep.equal(['EOF', 0]);
  });

  it('shows sort, projection, skip and limit as stages, with what each returned', async () => {
    const sorted = await find({ shop: 's1' }, { sort: { name: 1 }, skip: 2, limit: 3, projection: { name: 1 } });
    const { winningPlan } = sorted['queryPlanner'];
    expect(stages(winningPlan)).to.deep.equal(['SKIP', 'PROJECTION_DEFAULT', 'SORT', 'FETCH', 'IXSCAN']);
    const { executionStages, nReturned } = sorted['executionStats'];
    const returned = (stage: Document | undefined): number[] =>
      stage === undefined ? [] : [stage['nReturned'], ...returned(stage['inputStage'])];
    expect([nReturned, returned(executionStages)]).to.deep.equal([3, [3, 5, 5, 25, 25]]);
    const sort = winningPlan.inputStage.inputStage;
    expect([sort.sortPattern, sort.limitAmount]).to.deep.equal([{ name: 1 }, 5]);
  });

  it('examines no more than a limit asks for', async () => {
    const limited = await find({ shop: 's1' }, { sort: { total: 1 }, skip: 1, limit: 2 });
    expect(stages(limited['queryPlanner'].winningPlan)).to.deep.equal(['LIMIT', 'SKIP', 'FETCH', 'IXSCAN']);
    expect(innermost(limited['queryPlanner'].winningPlan)['direction']).to.equal('backward');
    const { nReturned, totalKeysExamined, totalDocsExamined } = limited['executionStats'];
    expect([nReturned, totalKeysExamined, totalDocsExamined]).to.deep.equal([2, 3, 3]);
  });

  it('writes index bounds as text', async () => {
    const whole = '[MinKey, MaxKey]';
    expect(await bounds({ shop: 's1' })).to.deep.equal({ shop: ['["s1", "s1"]'], total: ['[MaxKey, MinKey]'] });
    expect(await bounds({ shop: 's1', total: { $gt: 3, $lte: 5 } })).to.deep.equal({
      shop: ['["s1", "s1"]'],
      total: ['[5, 3)'],
    });
    expect(await bounds({ shop: { $in: ['s2', 's1'] } })).to.deep.equal({
      shop: ['["s1", "s1"]', '["s2", "s2"]'],
      total: ['[MaxKey, MinKey]'],
    });
    expect(await bounds({ total: { $gte: 8 } })).to.deep.equal({ total: ['[8, inf.0]'] });
    expect(await bounds({ total: { $lt: 2.5 } })).to.deep.equal({ total: ['[-inf.0, 2.5)'] });
    expect(await bounds({ name: { $gte: 'b' } })).to.deep.equal({ name: ['["b", {})'] });
    expect(await bounds({ name: /^ad/ })).to.deep.equal({ name: ['["ad", "ae")', '[/^ad/, /^ad/]'] });
    expect(await bounds({ _id: 7 })).to.deep.equal({ _id: ['[7, 7]'] });
    expect(await bounds({}, { sort: { name: -1 } })).to.deep.equal({ name: ['[MaxKey, MinKey]'] });
    expect(await bounds({}, { hint: 'names' })).to.deep.equal({ name: [whole] });
    expect(await bounds({ open: true, at: { $gt: new Date(50) } })).to.deep.equal({
      at: ['(new Date(50), new Date(9223372036854775807)]'],
    });
  });

  it('explains count and distinct', async () => {
    const counted = await explain({ count: 'orders', query: { shop: 's1' }, skip: 5 });
    expect(stages(counted['queryPlanner'].winningPlan)).to.deep.equal(['COUNT', 'FETCH', 'IXSCAN']);
    expect(counted['executionStats'].executionStages).to.include({ nCounted: 20, nReturned: 0 });
    const all = await explain({ count: 'orders', limit: 7 });
    expect(all['executionStats'].executionStages).to.include({ stage: 'RECORD_STORE_FAST_COUNT', nCounted: 7 });
    expect(all['executionStats'].totalDocsExamined).to.equal(0);
    const distinct = await explain({ distinct: 'orders', key: 'shop', query: { name: 'ada' } });
    expect(stages(distinct['queryPlanner'].winningPlan)).to.deep.equal(['FETCH', 'IXSCAN']);
  });

  it('explains the part of an aggregation that a plan does, and names the stages behind it', async () => {
    const aggregate = (pipeline: Document[], verbosity?: string) =>
      explain({ aggregate: 'orders', pipeline, cursor: {} }, verbosity);
    const planned = await aggregate([{ $match: { shop: 's1' } }, { $sort: { total: -1 } }, { $limit: 3 }]);
    expect(stages(planned['queryPlanner'].winningPlan)).to.deep.equal(['LIMIT', 'FETCH', 'IXSCAN']);
    expect(planned['executionStats'].totalKeysExamined).to.equal(3);
    const grouped = await aggregate([
      { $match: { shop: 's1' } },
      { $group: { _id: '$name', n: { $sum: 1 } } },
      { $limit: 2 },
    ]);
    const [cursor, group, limit] = grouped['stages'];
    expect(stages(cursor.$cursor.queryPlanner.winningPlan)).to.deep.equal(['FETCH', 'IXSCAN']);
    expect([cursor.nReturned, cursor.$cursor.executionStats.totalDocsExamined]).to.deep.equal([25, 25]);
    expect(group).to.deep.equal({ $group: { _id: '$name', n: { $sum: 1 } }, nReturned: 3 });
    expect(limit.$limit).to.equal(2);
    const { stages: alone } = await aggregate([{ $unwind: '$tags' }, { $limit: 1 }], 'queryPlanner');
    expect(alone.map((stage: Document) => Object.keys(stage))).to.deep.equal([['$cursor'], ['$unwind'], ['$limit']]);
    expect(alone[0].$cursor).to.not.have.property('executionStats');
    const option = await server.db.command({
      aggregate: 'orders',
      pipeline: [{ $match: { shop: 's1' } }],
      explain: true,
    });
    expect(option['queryPlanner'].winningPlan.stage).to.equal('FETCH');
    const twice = { aggregate: 'orders', pipeline: [], explain: true };
    expect((await failure(explain(twice))).code).to.equal(9);
  });

  it('explains writes, and changes nothing', async () => {
    const orders = server.db.collection<Doc>('orders');
    const before = await orders.find().sort({ _id: 1 }).toArray();
    const update = (q: Document, u: Document, more: Document = {}) =>
      explain({ update: 'orders', updates: [{ q, u, ...more }] }, 'allPlansExecution');
    const many = await update({ shop: 's1' }, { $max: { total: 5 } }, { multi: true });
    expect(stages(many['queryPlanner'].winningPlan)).to.deep.equal(['UPDATE', 'FETCH', 'IXSCAN']);
    const wouldModify = before.filter(({ shop, total }) => shop === 's1' && total < 5).length;
    expect(many['executionStats'].executionStages).to.include({
      nMatched: 25,
      nWouldModify: wouldModify,
      nWouldUpsert: 0,
    });
    const one = await update({ shop: 's1' }, { $set: { total: 99 } });
    expect(stages(one['queryPlanner'].winningPlan)).to.deep.equal(['UPDATE', 'FETCH', 'IXSCAN']);
    expect(one['executionStats'].executionStages).to.include({ nMatched: 1, nWouldModify: 1 });
    expect(one['executionStats'].totalDocsExamined).to.equal(1);
    const none = await update({ shop: 'none' }, { $set: { total: 99 } }, { upsert: true });
    expect(none['executionStats'].executionStages).to.include({ nMatched: 0, nWouldUpsert: 1 });
    const removed = await explain({ delete: 'orders', deletes: [{ q: { name: 'bob' }, limit: 0 }] });
    expect(stages(removed['queryPlanner'].winningPlan)).to.deep.equal(['DELETE', 'FETCH', 'IXSCAN']);
    expect(removed['executionStats'].executionStages).to.include({ nWouldDelete: 33 });
    const taken = await explain({ findAndModify: 'orders', query: { shop: 's1' }, sort: { name: 1 }, remove: true });
    expect(stages(taken['queryPlanner'].winningPlan)).to.deep.equal(['DELETE', 'SORT', 'FETCH', 'IXSCAN']);
    expect(taken['executionStats'].executionStages).to.include({ nWouldDelete: 1 });
    await explain({ findAndModify: 'orders', query: { _id: 200 }, update: { $set: { a: 1 } }, upsert: true });
    await explain({ update: 'unborn', updates: [{ q: {}, u: { $set: { a: 1 } }, upsert: true }] });
    expect(await orders.find().sort({ _id: 1 }).toArray()).to.deep.equal(before);
    expect(await server.db.listCollections({ name: 'unborn' }).toArray()).to.deep.equal([]);
  });

  it('refuses what cannot be explained, and arguments as the command itself does', async () => {
    const refused: [Document, number][] = [
      [{ insert: 'orders', documents: [{}] }, 20],
      [{ explain: { find: 'orders' } }, 20],
      [{ ping: 1 }, 20],
      [{ find: 'orders', strange: 1 }, 40415],
      [{ find: 'orders', filter: { $strange: 1 } }, 2],
      [{ find: 'orders', hint: 'none' }, 2],
      [{ find: 'orders', readConcern: { level: 'snapshot' } }, 123],
      [{ update: 'orders', updates: [] }, 16],
      [{ update: 'orders', updates: [{ q: {}, u: { a: 1 }, multi: true }] }, 9],
      [{ delete: 'orders', deletes: [1, 2].map((_id) => ({ q: { _id }, limit: 1 })) }, 16],
    ];
    for (const [command, code] of refused) {
      expect((await failure(explain(command))).code, JSON.stringify(command)).to.equal(code);
    }
    expect((await failure(server.db.command({ explain: 1 }))).code).to.equal(14);
    expect((await failure(server.db.command({ explain: { find: 'orders' }, strange: 1 }))).code).to.equal(40415);
  });
});
