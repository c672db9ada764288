import { expect } from 'chai';
import type { OrderDocument } from '../projections/orders/document.js';
import { type Checkpoints, openCheckpoints } from '../runtime/document-store/checkpoints.js';
import { silentLogger } from '../runtime/logger.js';
import { watchCheckpoints } from './checkpoint-watcher.js';
import { alice, idOfNumber, orderDocument } from './spec-documents.js';
import { startReadSide } from './spec-server.js';

const customer = { userId: alice, roles: ['customer'] };

describe('a read that carries X-Consistency-Token', function () {
  this.timeout(20_000);
  let side: Awaited<ReturnType<typeof startReadSide>>;
  let checkpoints: Checkpoints;
  const path = `/orders/${idOfNumber(10)}`;

  before(async () => {
    side = await startReadSide();
    checkpoints = openCheckpoints(side.db);
    await checkpoints.advance(new Map([['orders-v1', 100n]]));
    await side.db.collection<OrderDocument>('orders-v1').insertOne(orderDocument(10));
  });
  after(async () => {
    await side.close();
  });

  it('is answered at once where the read model is there already', async () => {
    const { status, headers } = await side.get(path, customer, { 'x-consistency-token': '100' });
    expect(status).to.equal(200);
    expect(headers.get('x-stale')).to.equal(null);
  });

  it('waits until the projection is there, and then sees the write', async () => {
    let answered = false;
    const waiting = side.get(`/orders/${idOfNumber(11)}`, customer, { 'x-consistency-token': '200' });
    void waiting.then(() => {
      answered = true;
    });
    await side.get(path, customer);
    await side.db.collection<OrderDocument>('orders-v1').insertOne(orderDocument(11));
    await side.get(path, customer);
    expect(answered).to.equal(false);
    await checkpoints.advance(new Map([['orders-v1', 200n]]));
    expect((await waiting).status).to.equal(200);
  });

  it('does not wait for projections that the route does not read', async () => {
    const { status } = await side.get(path, customer, { 'x-consistency-token': '200', 'x-consistency-wait': '0' });
    expect(status).to.equal(200);
    const products = await side.get('/products', 'anonymous', {
      'x-consistency-token': '200',
      'x-consistency-wait': '20',
    });
    expect(products).to.deep.include({ status: 504, code: 'consistency-timeout' });
  });

  it('is 504 after the time the caller set', async () => {
    const started = performance.now();
    const late = await side.get(path, customer, { 'x-consistency-token': '201', 'x-consistency-wait': '60' });
    expect(late).to.deep.include({ status: 504, code: 'consistency-timeout' });
    expect(performance.now() - started).to.be.within(50, 3_000);
  });

  it('is stale, and marked so, where the caller allows it', async () => {
    const headers = { 'x-consistency-token': '201', 'x-consistency-wait': '20', 'x-allow-stale': 'true' };
    const stale = await side.get(path, customer, headers);
    expect(stale.status).to.equal(200);
    expect(stale.headers.get('x-stale')).to.equal('true');
  });

  it('waits for nothing that is refused anyway', async () => {
    const headers = { 'x-consistency-token': '999' };
    expect((await side.get(path, 'anonymous', headers)).status).to.equal(401);
    expect((await side.get('/orders?limit=0', customer, headers)).status).to.equal(422);
    expect((await side.get('/products/mug', 'anonymous', headers)).status).to.equal(404);
  });

  const faulty: Record<string, string>[] = [
    ...['abc', '-1', '1.5', '0x10', '', '9223372036854775808', '99999999999999999999', '1e3'].map((token) => ({
      'x-consistency-token': token,
    })),
    ...['10001', '-1', 'soon', ''].map((wait) => ({ 'x-consistency-token': '1', 'x-consistency-wait': wait })),
    { 'x-consistency-token': '1', 'x-allow-stale': 'yes' },
  ];
  for (const headers of faulty) {
    it(`is refused with ${JSON.stringify(headers)}`, async () => {
      expect(await side.get(path, customer, headers)).to.deep.include({ status: 422, code: 'validation-failed' });
    });
  }
});

describe('the checkpoint watcher', () => {
  /** Checkpoints in memory that count how often they are asked. */
  const counted = () => {
    const positions = new Map<string, bigint>();
    let reads = 0;
    let fail = false;
    const checkpoints: Pick<Checkpoints, 'read' | 'advance'> = {
      async read(ids) {
        reads += 1;
        if (fail) throw new Error('gone');
        return new Map([...positions].filter(([id]) => ids.includes(id)));
      },
      async advance(moved) {
        for (const [id, position] of moved) positions.set(id, position);
      },
    };
    return { checkpoints, reads: () => reads, failing: (yes: boolean) => (fail = yes) };
  };

  it('asks once for all who wait, not once for each', async () => {
    const { checkpoints, reads } = counted();
    const watcher = watchCheckpoints(checkpoints, silentLogger, { intervalMs: 5, mostWaiting: 200 });
    const waiting = Array.from({ length: 200 }, () => watcher.reached(['a', 'b'], 5n, 5_000));
    await checkpoints.advance(new Map([['a', 7n]]));
    await checkpoints.advance(new Map([['b', 5n]]));
    expect(await Promise.all(waiting)).to.deep.equal(waiting.map(() => true));
    expect(reads()).to.be.lessThan(20);
  });

  it('lets only so many wait: the rest are told at once', async () => {
    const { checkpoints } = counted();
    const watcher = watchCheckpoints(checkpoints, silentLogger, { intervalMs: 1, mostWaiting: 3 });
    const waiting = [1, 2, 3].map(() => watcher.reached(['a'], 9n, 10_000));
    expect(await watcher.reached(['a'], 9n, 10_000)).to.equal(false);
    await checkpoints.advance(new Map([['a', 9n]]));
    expect(await Promise.all(waiting)).to.deep.equal([true, true, true]);
  });

  it('does not ask again for what it knows, nor while nobody waits', async () => {
    const { checkpoints, reads } = counted();
    const watcher = watchCheckpoints(checkpoints, silentLogger, { intervalMs: 1 });
    await checkpoints.advance(new Map([['a', 7n]]));
    expect(await watcher.reached(['a'], 7n, 1_000)).to.equal(true);
    const before = reads();
    expect(await watcher.reached(['a'], 3n, 1_000)).to.equal(true);
    expect(reads()).to.equal(before);
  });

  it('gives up when the time is over or the caller has gone', async () => {
    const { checkpoints } = counted();
    const watcher = watchCheckpoints(checkpoints, silentLogger, { intervalMs: 1 });
    expect(await watcher.reached(['a'], 1n, 15)).to.equal(false);
    const gone = new AbortController();
    const waiting = watcher.reached(['a'], 1n, 60_000, gone.signal);
    gone.abort();
    expect(await waiting).to.equal(false);
    expect(await watcher.reached(['a'], 1n, 60_000, gone.signal)).to.equal(false);
  });

  it('goes on asking through a fault of the store', async () => {
    const { checkpoints, reads, failing } = counted();
    const watcher = watchCheckpoints(checkpoints, silentLogger, { intervalMs: 1 });
    failing(true);
    const waiting = watcher.reached(['a'], 1n, 5_000);
    while (reads() < 3) await new Promise((resolve) => setImmediate(resolve));
    failing(false);
    await checkpoints.advance(new Map([['a', 1n]]));
    expect(await waiting).to.equal(true);
  });
});

describe('a document store that is gone', () => {
  it('is 503 with a code, and unhealthy', async () => {
    const side = await startReadSide();
    try {
      expect((await fetch(`${side.url}/health`)).status).to.equal(200);
      await side.stopDocuments();
      const refused = await side.get('/orders', customer);
      expect(refused).to.deep.include({ status: 503, code: 'unavailable' });
      expect(refused.headers.get('retry-after')).to.equal('1');
      expect((await fetch(`${side.url}/health`)).status).to.equal(503);
    } finally {
      await side.close();
    }
  }).timeout(20_000);
});
