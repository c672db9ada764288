import { rmSync } from 'node:fs';
import { expect } from 'chai';
import { eventually } from '../../../test/support/eventually.js';
import { makeDataDir, openParts, type Parts } from '../store-fixture.js';
import { append, type Listening, listening, newGroup, numbered, settings, turns } from './group-fixture.js';
import { openGroups } from './groups.js';
import { groupInfo } from './info.js';
import { loadGroups } from './stored-group.js';

const id = { stream: 's', group: 'g' };
const toAll = { stream: undefined, group: 'g' };

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

  it('hands out no more than its consumers have room for, and the rest as they answer', async () => {
    await append(deps, numbered(30));
    const group = newGroup(deps);
    const one = listening(3);
    group.connect(one.consumer);
    expect(one.types()).to.deep.equal(numbered(3));
    group.acknowledge(one.consumer, [one.ids()[1] ?? '']);
    expect(one.types()).to.deep.equal(numbered(4));
    await group.close();
  });

  it('gives no consumer more than 10,000 events, or 32 MiB of them, however large its buffer is', async () => {
    await append(deps, numbered(10_050), 'small');
    for (let n = 0; n < 40; n += 1) await append(deps, [String(n)], 'large', JSON.stringify('x'.repeat(1_000_000)));
    for (const [stream, most] of [
      ['small', 10_000],
      ['large', 34],
    ] as const) {
      const group = newGroup(deps, { readBatchSize: 1_000, historyBufferSize: 1_000 }, { stream });
      const greedy = listening(2_147_483_647);
      group.connect(greedy.consumer);
      await eventually('all that it is given', () => greedy.sent.length >= most);
      await turns();
      expect(greedy.sent, stream).to.have.length(most);
      group.acknowledge(greedy.consumer, greedy.ids().slice(0, 1));
      expect(greedy.sent, stream).to.have.length(most + 1);
      await group.close();
    }
  }).timeout(20_000);

  it('never counts as reached what lies behind an event that is not handled', async () => {
    await append(deps, numbered(10));
    const group = newGroup(deps);
    const one = listening(10);
    group.connect(one.consumer);
    group.acknowledge(one.consumer, one.ids().slice(1));
    await group.close();
    expect(loadGroups(deps.storage)).to.deep.equal([]);
    expect(group.stored.next).to.equal(0);
  });

  it('takes a late acknowledgement of an event that waits to be tried again', async () => {
    await append(deps, numbered(2));
    const group = newGroup(deps);
    const slow = listening(2);
    group.connect(slow.consumer);
    group.disconnect(slow.consumer);
    expect(group.waiting).to.include({ read: 0, retry: 2, inFlight: 0 });
    group.acknowledge(slow.consumer, slow.ids());
    const next = listening(2);
    group.connect(next.consumer);
    expect(next.sent).to.deep.equal([]);
    await group.close();
  });

  it('lets nobody answer for an event that somebody else holds', async () => {
    await append(deps, numbered(1));
    const group = newGroup(deps);
    const [before, holder] = [listening(1), listening(1)];
    group.connect(before.consumer);
    group.disconnect(before.consumer);
    for (const answer of ['park', 'retry'] as const) group[answer](before.consumer, before.ids(), 'late');
    expect(group.waiting).to.include({ retry: 1, outstanding: 0 });
    group.connect(holder.consumer);
    for (const answer of ['park', 'retry'] as const) group[answer](before.consumer, before.ids(), 'late');
    group.acknowledge(before.consumer, before.ids());
    expect(group.waiting).to.include({ retry: 0, outstanding: 1 });
    expect(holder.sent.map(({ retries }) => retries)).to.deep.equal([0]);
    group.acknowledge(holder.consumer, holder.ids());
    expect(group.waiting).to.include({ retry: 0, outstanding: 0 });
    await group.close();
    expect(group.parked.count()).to.equal(0);
  });

  it('tries again what was not answered in time, and parks it after the last try', async () => {
    await append(deps, numbered(3));
    const group = newGroup(deps, { messageTimeoutMs: 5 });
    const silent = listening(10);
    group.connect(silent.consumer);
    await eventually('all to be parked', () => group.parked.count() === 3);
    const retries = silent.sent.filter(({ type }) => type === '0').map((message) => message.retries);
    expect(retries).to.deep.equal([0, 1, 2]);
    await group.close();
  });

  it('keeps to a shorter time for answers from when it is told', async () => {
    await append(deps, numbered(1));
    const groups = openGroups(deps);
    await groups.create({
      ...id,
      settings: { ...settings, messageTimeoutMs: 600_000 },
      filter: undefined,
      startFrom: 0,
    });
    const [before, after] = [listening(1), listening(1)];
    groups.find(id).connect(before.consumer);
    await groups.update({ ...id, settings: { ...settings, messageTimeoutMs: 5 }, startFrom: 0 });
    groups.find(id).connect(after.consumer);
    await eventually('it to be tried again', () => after.sent.length > 1);
    await groups.close();
  });

  const spread = async (streams: number, events: number) => {
    for (let n = 0; n < events; n += 1) await append(deps, [`s-${n % streams}`], `s-${n % streams}`);
  };

  it('gives each stream to one consumer when pinned, whoever else comes', async () => {
    await spread(12, 60);
    const group = newGroup(deps, { strategy: 'Pinned', readBatchSize: 60 }, toAll);
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

  it('goes on with the others, when pinned, while one consumer does not answer', async () => {
    await spread(20, 200);
    const wide = newGroup(deps, { strategy: 'Pinned', historyBufferSize: 500 }, toAll);
    const narrow = newGroup(deps, { strategy: 'Pinned', historyBufferSize: 30 }, toAll);
    for (const group of [wide, narrow]) {
      const [stuck, busy] = [listening(2), listening(10)];
      group.connect(stuck.consumer);
      group.connect(busy.consumer);
      while (busy.held().length > 0) group.acknowledge(busy.consumer, busy.held());
      const { read, retry, inFlight } = group.waiting;
      expect(inFlight).to.equal(2);
      expect(retry).to.equal(0);
      // All that is left waits for the other one: every event of the log, or as many as the group may read ahead.
      if (group === wide) expect(read + busy.sent.length).to.equal(198);
      else expect(read).to.equal(30);
      await group.close();
    }
  });

  it('goes on behind its checkpoint after a restart, and asks for no event twice that was stored as handled', async () => {
    await append(deps, numbered(10));
    const groups = openGroups(deps);
    await groups.create({ ...id, settings, filter: undefined, startFrom: 'start' });
    const one = listening(4);
    groups.find(id).connect(one.consumer);
    groups.find(id).acknowledge(one.consumer, one.ids());
    await groups.close();
    await deps.close();
    deps = await openParts(dataDir);
    const again = openGroups(deps);
    const two = listening(100);
    again.find(id).connect(two.consumer);
    expect(two.types()).to.deep.equal(numbered(6, 4));
    await again.close();
  });

  it('measures answers where extra statistics are asked for, and only there', async () => {
    await append(deps, numbered(3));
    const measured: number[] = [];
    for (const extraStatistics of [true, false]) {
      const group = newGroup(deps, { extraStatistics });
      const one = listening(3);
      group.connect(one.consumer);
      group.acknowledge(one.consumer, one.held());
      measured.push(groupInfo(group).getConnectionsList()[0]?.getObservedMeasurementsList().length ?? 0);
      await group.close();
    }
    expect(measured).to.deep.equal([14, 0]);
  });

  it('stops when what it was parking is parked, and does not give that again', async () => {
    await append(deps, numbered(1));
    const groups = openGroups(deps);
    await groups.create({ ...id, settings, filter: undefined, startFrom: 'start' });
    const one = listening(4);
    groups.find(id).connect(one.consumer);
    groups.find(id).park(one.consumer, one.ids(), 'because');
    await groups.close();
    const again = openGroups(deps);
    const two = listening(100);
    again.find(id).connect(two.consumer);
    expect([again.find(id).parked.count(), two.sent.length]).to.deep.equal([1, 0]);
    await again.close();
  });

  it('ends all its consumers before it gives anything to others', async () => {
    await append(deps, numbered(3));
    const group = newGroup(deps);
    const consumers = [listening(1), listening(3), listening(3)];
    for (const { consumer } of consumers) group.connect(consumer);
    group.drop();
    expect(consumers.map(({ sent, ended }) => [sent.length, ended.length])).to.deep.equal([
      [1, 1],
      [2, 1],
      [0, 1],
    ]);
    expect(group.waiting).to.include({ retry: 3, inFlight: 0 });
    await group.close();
  });

  it('reads on after a commit, and not while it is being told of', async () => {
    const group = newGroup(deps);
    const one = listening(9);
    group.connect(one.consumer);
    let atCommit = -1;
    // Called back after the group, which waits already.
    deps.signal.onNext('s', () => {
      atCommit = one.sent.length;
    });
    await append(deps, numbered(1));
    await eventually('the event', () => one.sent.length === 1);
    expect(atCommit).to.equal(0);
    await group.close();
  });

  it('loses its consumers, and no event, to a fault that nobody foresaw', async () => {
    await append(deps, numbered(3));
    const group = newGroup(deps);
    const [faulty, sound] = [listening(9), listening(9)];
    faulty.call.write = () => {
      throw new Error('a fault');
    };
    group.connect(faulty.consumer);
    expect([faulty.ended.length, group.consumers.length]).to.deep.equal([1, 0]);
    group.connect(sound.consumer);
    expect(sound.types()).to.deep.equal(numbered(3));
    await group.close();
  });

  it('to $all sees what other groups write, and nothing of its own: neither its links nor their metadata', async () => {
    const groups = openGroups(deps);
    const ids = [toAll, { stream: undefined, group: 'g-h' }];
    for (const each of ids) await groups.create({ ...each, settings, filter: undefined, startFrom: 'start' });
    await append(deps, numbered(2));
    const consumers: Listening[] = [];
    for (const each of ids) {
      const one = listening(100);
      consumers.push(one);
      groups.find(each).connect(one.consumer);
      groups.find(each).park(one.consumer, one.ids(), 'because');
    }
    for (const each of ids) {
      const group = groups.find(each);
      await eventually('both to be parked', () => group.parked.count() >= 2);
      group.replayParked(undefined);
    }
    await eventually('everything to be handled', async () => {
      for (const [n, each] of ids.entries()) {
        const one = consumers[n];
        if (one !== undefined) groups.find(each).acknowledge(one.consumer, one.held());
      }
      await deps.writer.idle();
      return ids.every((each) => groups.find(each).parked.count() === 0 && groups.find(each).isLive);
    });
    await append(deps, ['last'], 't');
    await eventually('the last one', () => consumers.every((one) => one.types().includes('last')));
    const streams = consumers.map((one) => [...new Set(one.sent.map(({ stream }) => stream))].sort());
    const written = (group: string) => [
      `$$$persistentsubscription-$all::${group}-parked`,
      `$persistentsubscription-$all::${group}-parked`,
    ];
    expect(streams).to.deep.equal([
      [...written('g-h'), 's', 't'],
      [...written('g'), 's', 't'],
    ]);
    await groups.close();
  });
});
