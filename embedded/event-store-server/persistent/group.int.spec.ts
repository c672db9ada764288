import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { eventually } from '../../../test/support/eventually.js';
import { messages } from '../protocol.js';
import { idKey, recordType } from '../record.js';
import { makeDataDir, openParts, type Parts } from '../store-fixture.js';
import { Consumer } from './consumer.js';
import { Group } from './group.js';
import type { GroupSettings, Strategy } from './group-settings.js';
import { openGroups } from './groups.js';
import { parkedStream } from './stored-group.js';

const settings: GroupSettings = {
  resolveLinks: false,
  extraStatistics: false,
  maxRetryCount: 2,
  minCheckpointCount: 1,
  maxCheckpointCount: 5,
  maxSubscriberCount: 0,
  liveBufferSize: 20,
  readBatchSize: 7,
  historyBufferSize: 20,
  messageTimeoutMs: 0,
  checkpointAfterMs: 0,
  strategy: 'RoundRobin',
};
const id = { stream: 's', group: 'g' };

/** A consumer whose call is a list: what it was sent, by event id, and whether it was ended. */
function listening(bufferSize: number) {
  const sent: { id: string; type: string; retries: number }[] = [];
  const call = {
    write(bytes: Buffer) {
      const event = messages.persistent.ReadResp.deserializeBinary(bytes).getEvent();
      if (event === undefined) return true;
      const record = event.getEvent();
      const uuid = (event.getLink() ?? record)?.getId()?.getString() ?? '';
      sent.push({ id: idKey(uuid), type: record?.getMetadataMap().get('type') ?? '', retries: event.getRetryCount() });
      return true;
    },
    end: () => call,
    emit: () => true,
  };
  const facts = { from: 'test', username: 'anonymous', connectionName: '', bufferSize };
  const consumer = new Consumer(call as unknown as ConstructorParameters<typeof Consumer>[0], facts, Date.now);
  return { consumer, sent };
}

describe('a persistent subscription', () => {
  let dataDir: string;
  let deps: Parts;
  beforeEach(async () => {
    dataDir = makeDataDir();
    deps = await openParts(dataDir);
  });
  afterEach(async () => {
    await deps.close();
    rmSync(dataDir, { recursive: true });
  });
  const append = (types: readonly string[], stream = 's') =>
    deps.writer.append(
      stream,
      'any',
      types.map((type) => ({
        id: randomUUID(),
        type,
        isJson: true,
        data: Buffer.from('{}'),
        customMetadata: Buffer.alloc(0),
      })),
    );
  const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, n) => String(from + n));
  const newGroup = (changes: Partial<GroupSettings> = {}, next = 0) =>
    new Group(deps, {
      ...id,
      settings: { ...settings, ...changes },
      filter: undefined,
      startFrom: 'start',
      next,
      checkpointed: false,
    });

  it('hands out no more than its consumers have room for, and the rest as they answer', async () => {
    await append(numbered(30));
    const group = newGroup();
    const one = listening(3);
    group.connect(one.consumer);
    expect(one.sent.map(({ type }) => type)).to.deep.equal(numbered(3));
    group.acknowledge([one.sent[1]?.id ?? '']);
    expect(one.sent.map(({ type }) => type)).to.deep.equal(numbered(4));
    await group.close();
  });

  it('never counts as reached what lies behind an event that is not handled', async () => {
    await append(numbered(10));
    const group = newGroup();
    const one = listening(10);
    group.connect(one.consumer);
    group.acknowledge(one.sent.slice(1).map((message) => message.id));
    await group.close();
    expect(openGroupsNext()).to.equal(0);
    await deps.writer.idle();
  });
  const openGroupsNext = () => openGroups(deps).list()[0]?.stored.next ?? 0;

  it('takes a late acknowledgement of an event that waits to be tried again', async () => {
    await append(numbered(2));
    const group = newGroup({ messageTimeoutMs: 20 });
    const slow = listening(2);
    group.connect(slow.consumer);
    group.disconnect(slow.consumer);
    expect(group.waiting).to.include({ read: 0, retry: 2, inFlight: 0 });
    group.acknowledge(slow.sent.map((message) => message.id));
    const next = listening(2);
    group.connect(next.consumer);
    expect(next.sent).to.deep.equal([]);
    await group.close();
  });

  it('tries again what was not answered in time, and parks it after the last try', async () => {
    await append(numbered(3));
    const group = newGroup({ messageTimeoutMs: 5 });
    const silent = listening(10);
    group.connect(silent.consumer);
    await eventually('all to be parked', () => group.parked.count() === 3);
    const retries = silent.sent.filter(({ type }) => type === '0').map((message) => message.retries);
    expect(retries).to.deep.equal([0, 1, 2]);
    await group.close();
  });

  it('gives each stream to one consumer when pinned, whoever else comes', async () => {
    for (let n = 0; n < 60; n += 1) await append([`s-${n % 12}`], `s-${n % 12}`);
    const group = new Group(deps, { ...newGroup({ strategy: 'Pinned', readBatchSize: 60 }).stored, stream: undefined });
    const consumers = [listening(100), listening(100), listening(100)];
    for (const { consumer } of consumers) group.connect(consumer);
    const holders = new Map<string, Set<number>>();
    for (const [n, { sent, consumer }] of consumers.entries()) {
      // The first was alone when it connected and got everything; it gives it back.
      if (n === 0) group.disconnect(consumer);
      else for (const { type } of sent) holders.set(type, (holders.get(type) ?? new Set()).add(n));
    }
    expect([...holders.keys()]).to.have.length(12);
    expect([...holders.values()].every(({ size }) => size === 1)).to.equal(true);
    expect(new Set([...holders.values()].flatMap((who) => [...who]))).to.deep.equal(new Set([1, 2]));
    await group.close();
  });

  it('goes on behind its checkpoint after a restart, and asks for no event twice that was stored as handled', async () => {
    await append(numbered(10));
    const groups = openGroups(deps);
    await groups.create({ ...id, settings, filter: undefined, startFrom: 'start' });
    const one = listening(4);
    groups.find(id).connect(one.consumer);
    groups.find(id).acknowledge(one.sent.map((message) => message.id));
    await groups.close();
    await deps.close();
    deps = await openParts(dataDir);
    const again = openGroups(deps);
    const two = listening(100);
    again.find(id).connect(two.consumer);
    expect(two.sent.map(({ type }) => type)).to.deep.equal(numbered(6, 4));
    await again.close();
  });

  it('handles every event once or parks it, whatever its consumers do (seeded)', async () => {
    const strategies: Strategy[] = ['RoundRobin', 'DispatchToSingle', 'Pinned'];
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ what: fc.constant('ack' as const), at: fc.nat(9), many: fc.nat(3) }) },
      { weight: 3, arbitrary: fc.record({ what: fc.constant('retry' as const), at: fc.nat(9), many: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.record({ what: fc.constant('park' as const), at: fc.nat(9), many: fc.nat(1) }) },
      { weight: 2, arbitrary: fc.record({ what: fc.constant('leave' as const), at: fc.nat(9), many: fc.constant(0) }) },
      { weight: 3, arbitrary: fc.record({ what: fc.constant('join' as const), at: fc.nat(9), many: fc.nat(5) }) },
      { weight: 2, arbitrary: fc.record({ what: fc.constant('append' as const), at: fc.nat(9), many: fc.nat(6) }) },
      {
        weight: 1,
        arbitrary: fc.record({ what: fc.constant('replay' as const), at: fc.nat(9), many: fc.constant(0) }),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...strategies), fc.array(step, { maxLength: 60 }), async (strategy, steps) => {
        const run = { stream: randomUUID(), group: 'g' };
        const groups = openGroups(deps);
        await groups.create({ ...run, settings: { ...settings, strategy }, filter: undefined, startFrom: 'start' });
        const group = groups.find(run);
        let written = 12;
        await append(numbered(written), run.stream);
        const handled = new Map<string, number>();
        let present: ReturnType<typeof listening>[] = [];
        const acknowledge = (held: Consumer['inFlight'], count: number) => {
          const taken = [...held.values()].slice(0, count).map(({ message }) => message);
          group.acknowledge(taken.map((message) => message.id));
          for (const { event } of taken) {
            const type = event === undefined ? '' : recordType(event);
            handled.set(type, (handled.get(type) ?? 0) + 1);
          }
        };
        for (const { what, at, many } of steps) {
          const someone = present[at % Math.max(1, present.length)];
          const ids = [...(someone?.consumer.inFlight.keys() ?? [])].slice(0, many + 1);
          if (what === 'append') {
            await append(numbered(many + 1, written), run.stream);
            written += many + 1;
          } else if (what === 'join') {
            const joined = listening(many + 1);
            present.push(joined);
            group.connect(joined.consumer);
          } else if (what === 'replay') group.replayParked(undefined);
          else if (someone === undefined) continue;
          else if (what === 'ack') acknowledge(someone.consumer.inFlight, many + 1);
          else if (what === 'retry') group.retry(ids, 'because');
          else if (what === 'park') group.park(ids, 'because');
          else {
            group.disconnect(someone.consumer);
            present = present.filter((other) => other !== someone);
          }
        }
        // Somebody comes who answers everything.
        for (const { consumer } of present) group.disconnect(consumer);
        const last = listening(1_000);
        group.connect(last.consumer);
        await eventually('everything to be settled', async () => {
          acknowledge(last.consumer.inFlight, 1_000);
          await deps.writer.idle();
          const { read, retry, outstanding } = group.waiting;
          return read + retry + outstanding === 0 && group.isLive && group.parked.count() + handled.size >= written;
        });
        const parked = group.parked.count();
        group.replayParked(undefined);
        await eventually('parked events to be handled', async () => {
          acknowledge(last.consumer.inFlight, 1_000);
          return group.parked.count() === 0;
        });
        expect(parked).to.be.at.most(written);
        expect([...handled.entries()].sort((a, b) => Number(a[0]) - Number(b[0]))).to.deep.equal(
          numbered(written).map((type) => [type, 1]),
        );
        group.disconnect(last.consumer);
        await groups.close();
        expect(group.stored.next).to.equal(written);
        await deps.writer.delete(parkedStream(run), 'any', randomUUID());
      }),
      { numRuns: 60 },
    );
  }).timeout(60_000);
});
