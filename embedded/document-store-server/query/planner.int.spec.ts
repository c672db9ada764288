import { expect } from 'chai';
import type { Document, Filter } from 'mongodb';
import { startTestServer, type TestServer } from '../test-server.js';

interface Product extends Document {
  _id: number;
  status: string;
  at: number;
  terms: string[];
}

const documents = 3_000;

describe('of several indexes with many keys each', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
    const products = server.db.collection<Product>('products');
    await products.createIndexes([{ key: { status: 1, at: -1 } }, { key: { terms: 1 } }]);
    await products.insertMany(
      Array.from({ length: documents }, (_, at) => ({
        _id: at,
        status: 'approved',
        at: (at * 7) % documents,
        terms: ['common', `word${at % 2}`, ...(at % 15 === 0 ? ['seldom'] : []), ...(at < 300 ? ['first'] : [])],
      })),
    );
  });
  after(() => server.stop());

  const explained = async (filter: Filter<Product>, sort = {}, limit = 0) => {
    const query = server.db.collection<Product>('products').find(filter).sort(sort).limit(limit);
    const { queryPlanner, executionStats } = await query.explain();
    return { stage: queryPlanner.winningPlan.stage, keys: executionStats.totalKeysExamined as number };
  };

  for (const terms of [
    ['common', 'seldom'],
    ['seldom', 'common', 'word0'],
  ]) {
    it(`the rarest term is looked up of ${terms.join(', ')}`, async () => {
      expect((await explained({ terms: { $all: terms } })).keys).to.equal(documents / 15);
    });
  }

  it('a term that only old documents have is rare too', async () => {
    expect((await explained({ terms: { $all: ['common', 'first'] } })).keys).to.equal(300);
  });

  it('few documents are rather sorted than searched for in the order asked for', async () => {
    const newest = { at: -1 };
    const seldom = await explained({ status: 'approved', terms: 'seldom' }, newest, 20);
    expect(seldom).to.deep.equal({ stage: 'SORT', keys: documents / 15 });
    const common = await explained({ status: 'approved', terms: 'common' }, newest, 20);
    expect(common.stage).not.to.equal('SORT');
  });

  it('no more is looked at than a limit wants', async () => {
    expect((await explained({ status: 'approved', at: { $gt: 10 } }, { at: 1 }, 20)).keys).to.equal(20);
  });
});
