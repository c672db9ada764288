import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import {
  binaryEvent,
  type EventStoreDBClient,
  jsonEvent,
  type Position,
  streamNameFilter,
} from '@eventstore/db-client';
import { expect } from 'chai';
import {
  collect,
  connect,
  makeDataDir,
  spawnStore,
  typesOf,
} from '../../../embedded/event-store-server/store-fixture.js';
import { describeTargets } from './event-store-targets.js';
import { isRising, ownEvents } from './own-events.js';

const bulk = (part: number) =>
  Array.from({ length: 400 }, (_, n) => jsonEvent({ type: String(part * 400 + n), data: { fill: 'x'.repeat(2_000) } }));

describeTargets('a subscriber that does not read', (target) => {
  it('is waited for, and loses nothing', async () => {
    const { client, fresh } = target();
    const { position: from } = (await client.appendToStream(fresh('before'), bulk(0).slice(0, 1))) as {
      position: Position;
    };
    const subscription = client.subscribeToAll({ fromPosition: from });
    await once(subscription, 'confirmation');
    const streams = Array.from({ length: 10 }, () => fresh('bulk'));
    for (const [part, stream] of streams.entries()) await client.appendToStream(stream, bulk(part));
    const received = await collect(ownEvents(subscription, streams), 4_000);
    expect(typesOf(received)).to.deep.equal(Array.from({ length: 4_000 }, (_, n) => String(n)));
    expect(isRising(received)).to.equal(true);
  });

  it('hinders no other, and leaving it unread does not either', async () => {
    const { client, connect: another, fresh } = target();
    const streams = Array.from({ length: 10 }, () => fresh('bulk'));
    const filter = streamNameFilter({ prefixes: streams });
    const sleepers = [client, another()].flatMap((each) => [each.subscribeToAll({ filter }), each.subscribeToAll()]);
    await Promise.all(sleepers.map((sleeper) => once(sleeper, 'confirmation')));
    const awake = collect(ownEvents(client.subscribeToAll({ filter }), streams), 4_000);
    for (const [part, stream] of streams.entries()) await client.appendToStream(stream, bulk(part));
    expect(typesOf(await awake)).to.deep.equal(Array.from({ length: 4_000 }, (_, n) => String(n)));
    const [first, ...rest] = sleepers;
    for (const sleeper of rest) await sleeper.unsubscribe();
    if (first === undefined) throw new Error('Nobody sleeps.');
    expect(await collect(ownEvents(first, streams), 4_000)).to.have.length(4_000);
  });
});

/** Resident memory of a process in MiB. */
const residentMiB = (pid: number): number =>
  Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;

describe('many subscribers that do not read: the embedded event store', () => {
  it('cost it no memory that grows with what they do not read', async function () {
    if (process.platform === 'win32') this.skip();
    this.timeout(60_000);
    const dataDir = makeDataDir();
    const { child, connectionString, exited } = await spawnStore(dataDir);
    const clients: EventStoreDBClient[] = [];
    const open = () => {
      const client = connect(connectionString);
      clients.push(client);
      return client;
    };
    try {
      const writer = open();
      await writer.appendToStream('warm-up', jsonEvent({ type: 'a', data: {} }));
      const sleepers = Array.from({ length: 20 }, () => open().subscribeToAll());
      await Promise.all(sleepers.map((sleeper) => once(sleeper, 'confirmation')));
      const before = residentMiB(child.pid ?? 0);
      const [events, rounds] = [80, 50];
      for (let round = 0; round < rounds; round += 1) {
        const part = Array.from({ length: events }, () =>
          binaryEvent({ type: 'b', data: Buffer.alloc(12_000, round) }),
        );
        await writer.appendToStream(`bulk-${round % 10}`, part);
      }
      // 46 MiB were written; held for each of the twenty they would be 900.
      expect(residentMiB(child.pid ?? 0) - before).to.be.lessThan(300);
      const [first] = sleepers;
      if (first === undefined) throw new Error('Nobody sleeps.');
      expect(await collect(first, 1 + events * rounds)).to.have.length(1 + events * rounds);
    } finally {
      for (const client of clients) await client.dispose();
      child.kill('SIGTERM');
      await exited;
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
