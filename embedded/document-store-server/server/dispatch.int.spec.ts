import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deserialize, serialize } from 'bson';
import { expect } from 'chai';
import type { Document } from 'mongodb';
import { Registry } from 'prom-client';
import { silentLogger } from '../../../runtime/logger.js';
import { commandMetrics } from '../metrics.js';
import { Store } from '../storage/store.js';
import { createClock } from '../update/clock.js';
import type { Server } from './context.js';
import { Cursors } from './cursors.js';
import { dispatch } from './dispatch.js';
import { Sessions } from './sessions.js';

describe('a command that arrives', () => {
  let dataDir: string;
  let server: Server;
  beforeEach(() => {
    dataDir = mkdtempSync(path.join(tmpdir(), 'document-store-dispatch-'));
    const store = Store.open(dataDir, silentLogger);
    const clock = createClock(Date.now);
    server = {
      store,
      cursors: new Cursors(),
      sessions: new Sessions(clock.now),
      clock,
      log: silentLogger,
      metrics: commandMetrics(new Registry()),
      slowMs: Number.POSITIVE_INFINITY,
      startedAt: 0,
      connections: () => 1,
    };
  });
  afterEach(async () => {
    server.cursors.close();
    await server.store.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const run = async (command: Document, sequences: Record<string, Document[]> = {}) => {
    const bytes = (document: Document) => Buffer.from(serialize(document));
    const request = {
      document: bytes({ ...command, $db: 'shop' }),
      sequences: new Map(Object.entries(sequences).map(([name, documents]) => [name, documents.map(bytes)])),
    };
    return deserialize(await dispatch(server, request, 1));
  };

  it('after the store was closed is refused, and reads nothing any more', async () => {
    const indexes = ['a', 'b'].map((name) => ({ name, key: { [name]: 1 } }));
    expect(await run({ createIndexes: 'items', indexes })).to.include({ ok: 1 });
    await server.store.close();
    expect(await run({ find: 'items', filter: { a: 1, b: 1 } })).to.include({ ok: 0, code: 91 });
    expect(await run({ insert: 'items', documents: [{ _id: 1 }] })).to.include({ ok: 0, code: 91 });
  });

  it('with very many statements lets others be answered before it is read', async () => {
    const updates = Array.from({ length: 100_000 }, (_, _id) => ({ q: { _id }, u: { $set: { n: 1 } } }));
    let answered = false;
    const many = run({ update: 'items' }, { updates }).finally(() => {
      answered = true;
    });
    expect(await new Promise((resolve) => setImmediate(() => resolve(answered)))).to.equal(false);
    expect(server.store.backlog).to.equal(0);
    expect(await run({ ping: 1 })).to.include({ ok: 1 });
    expect(await many).to.include({ ok: 1, n: 0 });
  });

  it('with a document that cannot be stored makes no collection for it', async () => {
    const reply = await run({ insert: 'items', documents: [{ _id: [1] }] });
    expect(reply['writeErrors']).to.have.length(1);
    expect((await run({ listCollections: 1 }))['cursor'].firstBatch).to.deep.equal([]);
    expect(await run({ insert: 'items', documents: [{ _id: [1] }, { _id: 1 }], ordered: false })).to.include({ n: 1 });
  });
});
