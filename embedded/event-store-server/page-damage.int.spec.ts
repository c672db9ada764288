import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonEvent } from '@eventstore/db-client';
import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { silentLogger } from '../../runtime/logger.js';
import { type PageKind, pageSize, pagesByKind } from '../../test/support/lmdb-pages.js';
import { DataDirError } from '../lmdb-file.js';
import { startEventStore } from './server.js';
import { collect, openTestStore, rejection, type TestStore } from './store-fixture.js';

const event = (n: number) => jsonEvent({ type: 'counted', data: { n, fill: 'x'.repeat(200) } });

/** What a checksum on every record cannot see: LMDB's own pages. */
describe("an event store whose data file lost a page of LMDB's own", () => {
  let test: TestStore;
  const streams = Array.from({ length: 120 }, (_, n) => `stream-${n}-${'n'.repeat(100)}`);

  beforeEach(async () => {
    test = await openTestStore();
    for (const [n, stream] of streams.entries()) await test.client.appendToStream(stream, event(n));
    await test.stop();
  });
  afterEach(() => rmSync(test.dataDir, { recursive: true }));

  /** Changes every page of a kind. */
  const damage = (kind: PageKind, change: (page: Buffer, number: number, file: Buffer) => void) => {
    const path = join(test.dataDir, 'events.mdb');
    const file = readFileSync(path);
    const pages = pagesByKind(file).get(kind) ?? [];
    expect(pages).to.not.have.length(0);
    for (const number of pages) change(file.subarray(number * pageSize, (number + 1) * pageSize), number, file);
    writeFileSync(path, file);
  };
  const failedStart = () => rejection(startEventStore({ dataDir: test.dataDir, port: 0, log: silentLogger }));
  const zero = (page: Buffer) => void page.fill(0);

  it('fails a read that needs it as lost data, and serves what does not', async () => {
    damage('heads branch', zero);
    test = await openTestStore({ dataDir: test.dataDir });
    const err = await rejection(collect(test.client.readStream(streams[0] ?? '')));
    expect(err).to.include({ code: status.DATA_LOSS });
    expect(await collect(test.client.readAll())).to.have.length(streams.length);
    await test.stop();
  });

  it('refuses to start where the list of tables is empty, instead of making them anew', async () => {
    // An empty leaf: as many nodes as there are offsets between the header and "lower".
    damage('main', (page) => void page.writeUInt16LE(0, 20));
    expect(await failedStart()).to.be.instanceOf(DataDirError);
  });

  const txnAt = 152;
  const newerMeta = (file: Buffer) => (file.readBigUInt64LE(txnAt) > file.readBigUInt64LE(pageSize + txnAt) ? 0 : 1);
  const metas: Record<string, (page: Buffer, number: number, file: Buffer) => void> = {
    'is zero': (page, number, file) => {
      if (number === newerMeta(file)) page.fill(0);
    },
    'says an older transaction': (page, number, file) => {
      if (number === newerMeta(file)) page.writeBigUInt64LE(page.readBigUInt64LE(txnAt) - 2n, txnAt);
    },
    'says what the older one says': (page, number, file) => {
      if (number === newerMeta(file)) file.copy(page, 0, (1 - number) * pageSize, (2 - number) * pageSize);
    },
  };
  for (const [what, change] of Object.entries(metas)) {
    for (const last of ['even', 'odd']) {
      it(`refuses to go back by a transaction where the newer meta page ${what} (${last} transaction)`, async () => {
        if (last === 'odd') {
          test = await openTestStore({ dataDir: test.dataDir });
          await test.client.appendToStream('one-more', event(0));
          await test.stop();
        }
        damage('meta', change);
        expect(await failedStart()).to.be.instanceOf(DataDirError);
      });
    }
  }
});
