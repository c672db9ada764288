import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { z } from 'zod';
import { createCatalog, defineEvent, type JsonObject } from '../../domain/core/event-codec.js';
import { startEventStore } from '../../embedded/event-store-server/server.js';
import { tamper } from '../../embedded/event-store-server/tamper.js';
import { startTestLog, type TestLog, temporaryFolder } from '../../test/support/stores.js';
import { idOf, newId } from '../ids.js';
import { silentLogger } from '../logger.js';
import { LogUnavailable, openEventLog, type ProposedEvent, type StoredEvent } from './event-log.js';
import { chainStart, encodeEvent, eventHash } from './hash-chain.js';
import { proposed } from './log-fixture.js';
import { verifyChain } from './verify-chain.js';

const catalog = createCatalog([defineEvent({ type: 'test.noted', data: z.looseObject({}) })]);

/** A chained stream as it is appended. */
function chain(stream: string, data: readonly JsonObject[]): ProposedEvent[] {
  let previous = chainStart;
  return data.map((item, index) => {
    const id = newId();
    const source = {
      source_service: 'test',
      $correlationId: id,
      $causationId: id,
      occurred_at: '2026-11-20T10:00:00.000Z',
    };
    const event = encodeEvent(catalog, stream, BigInt(index), previous, { type: 'test.noted', data: item }, source);
    previous = event.metadata.hash;
    return event;
  });
}

/** Streams as a log would hold them, one event of each in turn. */
function log(...streams: string[]): StoredEvent[] {
  const chains = streams.map((stream) => chain(stream, [{ n: 0 }, { n: 1 }, { n: 2 }]));
  const events: StoredEvent[] = [];
  for (let index = 0; index < 3; index += 1) {
    for (const [which, stream] of streams.entries()) {
      const event = chains[which]?.[index];
      if (event === undefined) continue;
      const position = BigInt(events.length + 1);
      events.push({ ...event, stream, revision: BigInt(index), position, recordedAt: new Date(0) });
    }
  }
  return events;
}

async function* feed(events: readonly StoredEvent[], fault?: Error): AsyncGenerator<StoredEvent> {
  yield* events;
  if (fault !== undefined) throw fault;
}

const at = (events: readonly StoredEvent[], stream: string, revision: bigint): number =>
  events.findIndex((event) => event.stream === stream && event.revision === revision);

/** The log with one event replaced, or left out where `change` gives none. */
const forged = (
  events: readonly StoredEvent[],
  stream: string,
  revision: bigint,
  change: (event: StoredEvent) => StoredEvent | undefined,
): StoredEvent[] => {
  const index = at(events, stream, revision);
  return events.flatMap((event, place) => {
    if (place !== index) return [event];
    const changed = change(event);
    return changed === undefined ? [] : [changed];
  });
};

/** What one who knows the format would write: a hash and an id that fit the event itself. */
function resealed(event: StoredEvent, previous: string): StoredEvent {
  const hash = eventHash(event.stream, event.revision, previous, event.type, event.data, event.metadata);
  return { ...event, id: idOf(hash), metadata: { ...event.metadata, hash } };
}

describe('verifying the hash chain', () => {
  const whole = log('order-1', 'order-2', 'cart-9');

  it('finds nothing in an intact log', async () => {
    expect(await verifyChain(feed(whole))).to.deep.equal({ events: 9, streams: 3, firstBreak: undefined });
    expect(await verifyChain(feed([]))).to.deep.equal({ events: 0, streams: 0, firstBreak: undefined });
  });

  const changes: Record<string, [expected: string, (event: StoredEvent) => StoredEvent | undefined]> = {
    'data changed': ['hash-wrong', (event) => ({ ...event, data: { n: 7 } })],
    'a key added': ['hash-wrong', (event) => ({ ...event, data: { ...event.data, more: null } })],
    'data that are no object': ['hash-wrong', (event) => ({ ...event, data: 'text' as never })],
    'a number that is none': ['hash-wrong', (event) => ({ ...event, data: { n: Number.POSITIVE_INFINITY } })],
    'type changed': ['hash-wrong', (event) => ({ ...event, type: 'test.other' })],
    'metadata changed': ['hash-wrong', (event) => ({ ...event, metadata: { ...event.metadata, user_id: 'x' } })],
    'another hash': ['hash-wrong', (event) => ({ ...event, metadata: { ...event.metadata, hash: 'a'.repeat(64) } })],
    'an event left out': ['revision-missing', () => undefined],
    'another id': ['id-wrong', (event) => ({ ...event, id: randomUUID() })],
    'no hash': ['hash-missing', ({ metadata: { hash: _, ...metadata }, ...event }) => ({ ...event, metadata })],
    'no metadata': ['hash-missing', (event) => ({ ...event, metadata: {} })],
    'a hash that is no text': ['hash-missing', (event) => ({ ...event, metadata: { ...event.metadata, hash: 7 } })],
  };
  for (const [what, [reason, change]] of Object.entries(changes)) {
    it(`names the place of ${what}`, async () => {
      const { firstBreak, events } = await verifyChain(feed(forged(whole, 'order-2', 1n, change)));
      const missing = reason === 'revision-missing';
      expect(firstBreak).to.deep.include({ stream: 'order-2', reason, revision: missing ? 2n : 1n });
      expect(firstBreak?.position).to.equal(missing ? 8n : 5n);
      expect(events).to.equal(missing ? 6 : 4);
    });
  }

  it('finds an event that was forged with all its own hashes, at the next one', async () => {
    const previous = String(whole[at(whole, 'order-2', 0n)]?.metadata['hash']);
    const changed = forged(whole, 'order-2', 1n, (event) => resealed({ ...event, data: { n: 7 } }, previous));
    const { firstBreak } = await verifyChain(feed(changed));
    expect(firstBreak).to.deep.include({ stream: 'order-2', revision: 2n, reason: 'hash-wrong' });
  });

  it('finds a stream that was moved, one that is repeated, and one that lacks its beginning', async () => {
    const moved = whole.map((event) => (event.stream === 'cart-9' ? { ...event, stream: 'cart-8' } : event));
    expect((await verifyChain(feed(moved))).firstBreak).to.deep.include({ stream: 'cart-8', reason: 'hash-wrong' });
    const twice = await verifyChain(feed([...whole, ...whole]));
    expect(twice.firstBreak).to.deep.include({ stream: 'order-1', revision: 0n, reason: 'revision-missing' });
    const headless = forged(whole, 'cart-9', 0n, () => undefined);
    expect((await verifyChain(feed(headless))).firstBreak).to.deep.include({
      revision: 1n,
      reason: 'revision-missing',
    });
  });

  it('cannot see that a tail was cut', async () => {
    expect((await verifyChain(feed(whole.slice(0, 5)))).firstBreak).to.equal(undefined);
  });

  it('passes over side streams and the system\u2019s own', async () => {
    const aside = (stream: string) => forged(whole, 'order-1', 0n, (event) => ({ ...event, stream, revision: 9n }))[0];
    const names = ['snapshot-order-1', 'checkpoint-x', '$settings'];
    const events = [...names.flatMap((name) => aside(name) ?? []), ...whole];
    expect(await verifyChain(feed(events))).to.deep.equal({ events: 9, streams: 3, firstBreak: undefined });
  });

  it('does not pass over a stream that carries no hashes', async () => {
    const foreign = { ...proposed(1), stream: 'foreign-1', revision: 0n, position: 1n, recordedAt: new Date(0) };
    expect((await verifyChain(feed([foreign]))).firstBreak).to.deep.include({ reason: 'hash-missing' });
  });

  it('names a log that cannot be read, with what lies beneath, and tells how far it came', async () => {
    const fault = new LogUnavailable('no', { cause: new Error('outer', { cause: new Error('record 7 is damaged') }) });
    const report = await verifyChain(feed(whole.slice(0, 4), fault));
    expect(report.events).to.equal(4);
    expect(report.firstBreak).to.deep.equal({
      stream: '$all',
      revision: undefined,
      position: undefined,
      reason: 'unreadable',
      message: 'record 7 is damaged',
    });
  });

  it('names the first break where the log cannot be read behind it', async () => {
    const changed = forged(whole, 'order-1', 1n, (event) => ({ ...event, data: {} }));
    const { firstBreak } = await verifyChain(feed(changed, new LogUnavailable('no')));
    expect(firstBreak).to.deep.include({ stream: 'order-1', reason: 'hash-wrong' });
  });

  it('lets faults of another kind through', async () => {
    let thrown: unknown;
    await verifyChain(feed(whole, new TypeError('a fault of ours'))).catch((error: unknown) => {
      thrown = error;
    });
    expect(thrown).to.be.instanceOf(TypeError);
  });

  it('says how far it is every ten thousand events', async () => {
    const said: number[] = [];
    const many = chain(
      'long-1',
      Array.from({ length: 20_001 }, () => ({ n: 0 })),
    );
    const events = many.map((event, index) => ({
      ...event,
      stream: 'long-1',
      revision: BigInt(index),
      position: BigInt(index + 1),
      recordedAt: new Date(0),
    }));
    const report = await verifyChain(feed(events), (checked) => said.push(checked));
    expect(said).to.deep.equal([10_000, 20_000]);
    expect(report).to.deep.equal({ events: 20_001, streams: 1, firstBreak: undefined });
  }).timeout(20_000);

  describe('of a log on a server', () => {
    let store: TestLog;
    before(async () => {
      store = await startTestLog();
    });
    after(() => store.close());

    it('finds whatever JSON can hold unchanged', async () => {
      const odd: JsonObject[] = [
        { zero: -0, huge: 1e21, tiny: 5e-324, long: 0.1 + 0.2, max: Number.MAX_SAFE_INTEGER, neg: -1e-7 },
        { none: undefined, nothing: null, list: [undefined, null, [], {}], nested: { none: undefined } },
        { text: 'Ærø 🚲 \u2028\u2029 \u0000\u001f "\\/ \ud800 e\u0301 \u00e9' },
        { '': 1, é: 2, 'e\u0301': 3, '\ufb33': 4, '😀': 5, '10': 6, '9': 7 },
        JSON.parse('{"__proto__": {"a": 1}, "constructor": "x", "toString": null}') as JsonObject,
        { long: 'y'.repeat(200_000) },
      ];
      await store.eventLog.append('odd-1', chain('odd-1', odd), 'no-stream');
      await store.eventLog.append('plain-1', chain('plain-1', [{ n: 1 }, { n: 2 }]), 'no-stream');
      await store.eventLog.keepLast('checkpoint-x', 1);
      await store.eventLog.appendSide('checkpoint-x', proposed(1));
      expect(await verifyChain(store.eventLog.readAll())).to.deep.equal({
        events: 8,
        streams: 2,
        firstBreak: undefined,
      });
    });

    it('finds an event of somebody else\u2019s in a chained stream', async () => {
      await store.eventLog.append('plain-1', [proposed(3)], 1n);
      const { firstBreak } = await verifyChain(store.eventLog.readAll());
      expect(firstBreak).to.deep.include({ stream: 'plain-1', revision: 2n, reason: 'hash-missing' });
    });

    for (const fixChecksum of [true, false]) {
      it(`finds data changed on the disk, ${fixChecksum ? 'checksums mended' : 'found by the store itself'}`, async () => {
        const folder = await temporaryFolder();
        const open = async () => {
          const server = await startEventStore({ dataDir: folder.path, port: 0, log: silentLogger });
          const eventLog = openEventLog(server.connectionString, silentLogger);
          const close = async () => {
            await eventLog.close();
            await server.close();
          };
          return { eventLog, close };
        };
        const first = await open();
        await first.eventLog.append(
          'a-1',
          chain('a-1', [{ city: 'Delft' }, { city: 'Gouda' }, { city: 'Leiden' }]),
          'no-stream',
        );
        await first.close();
        await tamper(folder.path, 2, { fixChecksum });
        const again = await open();
        const { firstBreak, events } = await verifyChain(again.eventLog.readAll());
        expect(events).to.equal(1);
        expect(firstBreak).to.deep.include(
          fixChecksum
            ? { stream: 'a-1', revision: 1n, reason: 'hash-wrong' }
            : { stream: '$all', reason: 'unreadable' },
        );
        if (!fixChecksum) expect(firstBreak?.message).to.match(/a-1/);
        await again.close();
        await folder.remove();
      });
    }
  });
});
