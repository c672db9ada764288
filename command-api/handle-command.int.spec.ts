import { expect } from 'chai';
import { z } from 'zod';
import type { Command, Decider } from '../domain/core/decider.js';
import { DomainError } from '../domain/core/domain-error.js';
import { createCatalog, defineEvent, type EventOf } from '../domain/core/event-codec.js';
import {
  type EventLog,
  LogUnavailable,
  OutcomeUnknown,
  Overloaded,
  type StoredEvent,
} from '../runtime/event-store/event-log.js';
import { verifyChain } from '../runtime/event-store/verify-chain.js';
import { newId } from '../runtime/ids.js';
import { silentLogger } from '../runtime/logger.js';
import { startTestLog, type TestLog } from '../test/support/stores.js';
import { type CommandContext, type CommandHandlerOptions, createCommandHandler } from './handle-command.js';

const definitions = [
  defineEvent({ type: 'tally.added', data: z.strictObject({ by: z.int(), padding: z.string().optional() }) }),
] as const;
type TallyEvent = EventOf<typeof definitions>;
type Add = Command<'Add', { by: number; padding?: string }>;

/** Counts up to a hundred and refuses to go beyond; adding nothing is already true. */
const decider: Decider<number, Add, TallyEvent> = {
  initialState: 0,
  decide({ data }, total) {
    if (total + data.by > 100) throw new DomainError('quantity-too-large', 'at most 100');
    return data.by === 0 ? [] : [{ type: 'tally.added', data }];
  },
  evolve: (total, { data }) => total + data.by,
};
const tally = { stream: (id: string) => `tally-${id}`, decider };

const add = (by: number, padding?: string): Add => ({
  type: 'Add',
  data: padding === undefined ? { by } : { by, padding },
  metadata: { now: '2026-11-20T10:00:00.000Z' },
});
const context = (commandId = newId(), requestHash?: string): CommandContext => ({
  commandId,
  correlationId: commandId,
  requestHash,
});
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'accepted',
    (error) => error.code ?? error.name,
  );

describe('the write loop', () => {
  let store: TestLog;
  let appends = 0;
  let reads = 0;

  const handlerOn = (eventLog: EventLog, options: Partial<CommandHandlerOptions> = {}) =>
    createCommandHandler({
      eventLog,
      catalog: createCatalog(definitions),
      service: 'test',
      log: silentLogger,
      ...options,
    });

  /** The real log, with its calls counted and, where a test says so, its answers lost. */
  const watched = (lose: (append: number) => 'answer' | 'request' | undefined = () => undefined): EventLog => ({
    ...store.eventLog,
    async append(stream, events, expected) {
      appends += 1;
      const lost = lose(appends);
      if (lost === 'request') throw new OutcomeUnknown('lost on the way there');
      const appended = await store.eventLog.append(stream, events, expected);
      if (lost === 'answer') throw new OutcomeUnknown('lost on the way back');
      return appended;
    },
    readStream(...args) {
      reads += 1;
      return store.eventLog.readStream(...args);
    },
  });

  const stored = async (id: string): Promise<StoredEvent[]> => {
    const events: StoredEvent[] = [];
    for await (const event of store.eventLog.readStream(`tally-${id}`)) events.push(event);
    return events;
  };

  before(async () => {
    store = await startTestLog();
  });
  after(() => store.close());
  beforeEach(() => {
    appends = 0;
    reads = 0;
  });

  it('puts commands that wait for one stream into few appends, each decided on what the earlier ones left', async () => {
    const handler = handlerOn(watched());
    const id = newId();
    const accepted = await Promise.all(Array.from({ length: 64 }, () => handler.handle(tally, id, add(1), context())));
    expect((await stored(id)).length).to.equal(64);
    expect(new Set(accepted.map(({ revision }) => revision)).size).to.equal(64);
    expect(appends).to.be.lessThan(4);
  });

  it('refuses alone what the group before it has made impossible', async () => {
    const handler = handlerOn(watched());
    const id = newId();
    const answers = await Promise.all(
      Array.from({ length: 150 }, () => codeOf(handler.handle(tally, id, add(1), context()))),
    );
    expect(answers.filter((answer) => answer === 'accepted').length).to.equal(100);
    expect(answers.filter((answer) => answer === 'quantity-too-large').length).to.equal(50);
    expect((await handler.load(tally, id)).state).to.equal(100);
  });

  it('reads a few streams at a time, however many are asked for, and keeps what it has read', async () => {
    const ids = Array.from({ length: 60 }, newId);
    const first = handlerOn(watched());
    await Promise.all(ids.map((id) => first.handle(tally, id, add(1), { ...context(), creates: true })));
    let open = 0;
    let most = 0;
    let fails = true;
    reads = 0;
    const log = watched();
    const slow: EventLog = {
      ...log,
      async *readStream(...args) {
        open += 1;
        most = Math.max(most, open);
        try {
          yield* log.readStream(...args);
        } finally {
          open -= 1;
        }
      },
      append: (...args) => (fails ? Promise.reject(new LogUnavailable('too slow')) : log.append(...args)),
    };
    const cold = handlerOn(slow);
    const all = () => Promise.all(ids.map((id) => codeOf(cold.handle(tally, id, add(1), context()))));
    expect(new Set(await all())).to.deep.equal(new Set(['OutcomeUnknown']));
    expect(most).to.be.within(2, 8);
    expect(reads).to.equal(60);
    fails = false;
    expect(new Set(await all())).to.deep.equal(new Set(['accepted']));
    expect(reads).to.equal(60);
  });

  it('does not read a stream that a command creates', async () => {
    const handler = handlerOn(watched());
    await handler.handle(tally, newId(), add(1), { ...context(), creates: true });
    expect({ appends, reads }).to.deep.equal({ appends: 1, reads: 0 });
  });

  it('finds out by reading that a stream it took for new is there', async () => {
    const id = newId();
    await handlerOn(watched()).handle(tally, id, add(60), context());
    const other = handlerOn(watched());
    const { revision } = await other.handle(tally, id, add(40), { ...context(), creates: true });
    expect(revision).to.equal(1n);
    expect(await codeOf(handlerOn(watched()).handle(tally, id, add(1), { ...context(), creates: true }))).to.equal(
      'quantity-too-large',
    );
  });

  it('looks at the tail before a refusal that rests on the cache is heard', async () => {
    const id = newId();
    const stale = handlerOn(watched());
    await stale.handle(tally, id, add(100), context());
    // Somebody else takes it down again, unseen by the first process.
    await handlerOn(watched()).handle(tally, id, add(-50), context());
    const { revision } = await stale.handle(tally, id, add(10), context());
    expect(revision).to.equal(2n);
  });

  describe('with a command that comes again', () => {
    it('answers from its own events, also in a process that never saw it', async () => {
      const id = newId();
      const again = context();
      const first = await handlerOn(watched()).handle(tally, id, add(7), again);
      await handlerOn(watched()).handle(tally, id, add(3), context());
      const second = await handlerOn(watched()).handle(tally, id, add(7), again);
      expect(second.repeated).to.equal(true);
      expect(second.events).to.deep.equal(first.events);
      expect(second.eventIds).to.deep.equal(first.eventIds);
      expect(second.revision).to.equal(first.revision);
      expect((await stored(id)).length).to.equal(2);
    });

    it('answers ten at once with one event', async () => {
      const handler = handlerOn(watched());
      const id = newId();
      const again = context();
      const answers = await Promise.all(Array.from({ length: 10 }, () => handler.handle(tally, id, add(1), again)));
      expect(new Set(answers.map(({ eventIds }) => eventIds[0])).size).to.equal(1);
      expect((await stored(id)).length).to.equal(1);
    });

    it('refuses the same key for another request', async () => {
      const handler = handlerOn(watched());
      const id = newId();
      const commandId = newId();
      await handler.handle(tally, id, add(1), context(commandId, 'a'.repeat(64)));
      const other = handler.handle(tally, id, add(2), context(commandId, 'b'.repeat(64)));
      expect(await codeOf(other)).to.equal('idempotency-key-reused');
    });
  });

  describe('when the outcome of an append is unknown', () => {
    it('finds what was written and does not write it again', async () => {
      const id = newId();
      const handler = handlerOn(watched((append) => (append === 1 ? 'answer' : undefined)));
      const accepted = await Promise.all([1, 2, 3].map(() => handler.handle(tally, id, add(1), context())));
      expect(accepted.map(({ events }) => events.length)).to.deep.equal([1, 1, 1]);
      expect((await stored(id)).length).to.equal(3);
    });

    it('writes what was not written', async () => {
      const id = newId();
      const handler = handlerOn(watched((append) => (append === 1 ? 'request' : undefined)));
      await handler.handle(tally, id, add(1), context());
      expect((await stored(id)).length).to.equal(1);
    });
  });

  it('lets two processes share a stream without losing or doubling anything', async () => {
    const id = newId();
    const [one, two] = [handlerOn(watched()), handlerOn(watched())];
    const writes = Array.from({ length: 90 }, (_, i) => (i % 2 === 0 ? one : two).handle(tally, id, add(1), context()));
    await Promise.all(writes);
    expect((await stored(id)).map(({ revision }) => revision)).to.deep.equal(
      Array.from({ length: 90 }, (_, i) => BigInt(i)),
    );
  });

  it('refuses more than it can hold, and says so by a code of its own', async () => {
    const handler = handlerOn(watched(), { maxWaiting: 5 });
    const answers = await Promise.allSettled(
      Array.from({ length: 8 }, () => handler.handle(tally, newId(), add(1), context())),
    );
    const refused = answers.filter((answer) => answer.status === 'rejected');
    expect(refused.length).to.equal(3);
    for (const { reason } of refused) expect(reason).to.be.instanceOf(Overloaded);
  });

  it('splits a group that would be too large for one append', async () => {
    const handler = handlerOn(watched());
    const id = newId();
    const padding = 'x'.repeat(200_000);
    await Promise.all(Array.from({ length: 12 }, () => handler.handle(tally, id, add(1, padding), context())));
    expect((await stored(id)).length).to.equal(12);
    expect(appends).to.be.greaterThan(3);
  });

  it('refuses alone a command that no append can hold', async () => {
    const handler = handlerOn(watched());
    const id = newId();
    const answers = await Promise.all([
      codeOf(handler.handle(tally, id, add(1), context())),
      codeOf(handler.handle(tally, id, add(1, 'x'.repeat(1_200_000)), context())),
      codeOf(handler.handle(tally, id, add(1), context())),
    ]);
    expect(answers).to.deep.equal(['accepted', 'AppendTooLarge', 'accepted']);
  });

  it('keeps cached streams fresh from what others append', async () => {
    const id = newId();
    const handler = handlerOn(watched());
    await handler.handle(tally, id, add(1), context());
    await handlerOn(watched()).handle(tally, id, add(5), context());
    handler.feed(await stored(id));
    reads = 0;
    expect((await handler.load(tally, id)).state).to.equal(6);
    expect(reads).to.equal(0);
  });

  it('keeps few streams of many parts in memory, and reads the others again', async () => {
    const wide = { ...tally, parts: (total: number) => total };
    const handler = handlerOn(watched(), { cachedParts: 100 });
    const ids = [newId(), newId(), newId()];
    for (const id of ids) await handler.handle(wide, id, add(40), context());
    const readsOf = async (id: string | undefined) => {
      reads = 0;
      expect((await handler.load(wide, String(id))).state).to.equal(40);
      return reads;
    };
    expect([await readsOf(ids[2]), await readsOf(ids[1]), await readsOf(ids[0])]).to.deep.equal([0, 0, 1]);
    expect([await readsOf(ids[0]), await readsOf(ids[2])]).to.deep.equal([0, 1]);
  });

  it('leaves a hash chain that holds from end to end', async () => {
    const report = await verifyChain(store.eventLog.readAll());
    expect(report.firstBreak).to.equal(undefined);
    expect(report.events).to.be.greaterThan(250);
  });
});
