import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { jsonEvent } from '@eventstore/db-client';
import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import fc from 'fast-check';
import { nameKey } from './keys.js';
import { allNames, findStreamId } from './names.js';
import { DamageError } from './record.js';
import { collect, makeDataDir, openParts, openTestStore, type Parts, rejection } from './store-fixture.js';
import { verifyDataDir } from './verify.js';

const event = () => ({
  id: randomUUID(),
  type: 't',
  isJson: true,
  data: Buffer.from('{}'),
  customMetadata: Buffer.alloc(0),
});
/** Names that sort in odd ways: short and long ones, with and without NUL and beyond ASCII. */
const names = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', '-', '\0', '流', '🛒'), minLength: 1, maxLength: 5 }),
  fc.integer({ min: 0, max: 50 }).map((n) => `order-${n}`),
  fc.integer({ min: 0, max: 5 }).map((n) => `${'x'.repeat(1_995)}${n}`),
);

describe('the names of streams', () => {
  let dataDir: string;
  let parts: Parts;
  const reopen = async () => {
    dataDir = makeDataDir();
    parts = await openParts(dataDir);
  };
  const leave = async () => {
    await parts.close();
    rmSync(dataDir, { recursive: true });
  };

  it('are each found, and each other name is known not to be there, however they came (seeded)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(names, { maxLength: 8 }), { maxLength: 8 }), names, async (batches, other) => {
        await reopen();
        const written = new Set<string>();
        for (const batch of batches) {
          for (const name of batch) written.add(name);
          await Promise.all(batch.map((name) => parts.writer.append(name, 'any', [event()])));
        }
        for (const name of written) expect(findStreamId(parts.storage, name), name).to.be.a('number');
        if (!written.has(other)) expect(findStreamId(parts.storage, other)).to.equal(undefined);
        expect([...allNames(parts.storage)].map(({ name }) => name).sort()).to.deep.equal([...written].sort());
        await leave();
      }),
      { numRuns: 60 },
    );
  }).timeout(30_000);

  it('of which one is lost are not taken for names that never were: not read, not written, not verified', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(names, { minLength: 1, maxLength: 12 }), fc.nat(), async (written, which) => {
        await reopen();
        await Promise.all(written.map((name) => parts.writer.append(name, 'any', [event()])));
        const lost = written[which % written.length] ?? '';
        parts.storage.names.removeSync(nameKey(lost));
        expect(() => findStreamId(parts.storage, lost)).to.throw(DamageError);
        await parts.close();
        parts = await openParts(dataDir, Date.now, { serve: false });
        const err = await rejection(parts.writer.append(lost, 'no_stream', [event()]));
        expect(err).to.be.instanceOf(DamageError);
        for (const name of written) if (name !== lost) expect(findStreamId(parts.storage, name)).to.be.a('number');
        await parts.close();
        expect(await verifyDataDir(dataDir)).to.include({ intact: false });
        rmSync(dataDir, { recursive: true });
      }),
      { numRuns: 40 },
    );
  }).timeout(30_000);

  it('are told to a client as damaged, not as missing', async () => {
    const test = await openTestStore();
    for (const stream of ['a', 'b', 'c']) await test.client.appendToStream(stream, jsonEvent({ type: 't', data: {} }));
    await test.stop();
    const closed = await openParts(test.dataDir);
    closed.storage.names.removeSync(nameKey('b'));
    // The number of entries is looked at when the store starts.
    closed.storage.names.putSync(nameKey('z'), Buffer.alloc(30));
    await closed.close();
    const again = await openTestStore({ dataDir: test.dataDir });
    for (const call of [
      () => collect(again.client.readStream('b')),
      () => collect(again.client.subscribeToStream('b')),
      () => collect(again.client.readStream('bb')),
    ]) {
      expect(await rejection(call())).to.include({ code: status.DATA_LOSS });
    }
    const err = await rejection(
      again.client.appendToStream('b', jsonEvent({ type: 't', data: {} }), { expectedRevision: 'no_stream' }),
    );
    expect(String(err)).to.match(/damaged/);
    expect(await collect(again.client.readStream('a'))).to.have.length(1);
    expect(await collect(again.client.readStream('c'))).to.have.length(1);
    await again.remove();
  });
});
