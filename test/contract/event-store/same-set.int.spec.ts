import { once } from 'node:events';
import {
  type AllStreamResolvedEvent,
  END,
  eventTypeFilter,
  type Filter,
  jsonEvent,
  type Position,
  type ResolvedEvent,
  START,
  streamNameFilter,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { eventually } from '../../support/eventually.js';
import { type Random, seeded } from '../../support/seeded.js';
import { describeTargets } from './event-store-targets.js';
import { ownEvents } from './own-events.js';

const seed = Number(process.env['EVENTSTORE_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const writers = 12;
const eventsToWrite = 3_000;
const letters = ['a', 'b', 'c', 'd', 'e', 'f'];
const numbers = ['1', '2', '3', '4', '5', '6', '7'];
const kinds = ['made', 'paid', 'sent', 'lost'];

const event = (type: string) => jsonEvent({ type, data: {} });

interface Follower {
  what: string;
  /** what the store should let through, told without its filters */
  passes: (stream: string, type: string) => boolean;
  /** undefined where it began at the end: nobody can say where that was */
  after: bigint | undefined;
  /** everything that passes beyond this position has to come */
  since: bigint;
  received: Promise<string[]>;
}

describeTargets('appends and subscriptions at the same time', (target) => {
  it(`agree on what there is, and in which order (EVENTSTORE_TEST_SEED=${seed})`, async function () {
    this.timeout(60_000);
    const { client, fresh, prefix } = target();
    const random = seeded(seed);
    const word = fresh('same').replaceAll('-', '');
    const endStream = `${prefix}${word}-end`;
    const streams = letters.flatMap((letter) => numbers.map((number) => `${prefix}${word}-${letter}-${number}`));
    const mark = `${word}-end`;
    const { position: begin } = await client.appendToStream(fresh('before'), event('x'));
    if (begin === undefined) throw new Error('The append has no position.');

    const followers: Follower[] = [];
    const followAll = async (from: Position | typeof START | typeof END) => {
      const { what, filter, passes } = filterChoice(random, `${prefix}${word}`, word);
      const subscription = client.subscribeToAll({ fromPosition: from, filter });
      const live = once(subscription, 'caughtUp');
      const received = idsUntilEnd(ownEvents(subscription, [...streams, endStream]), mark, endStream);
      const after = from === START ? -1n : from === END ? undefined : from.commit;
      if (after === undefined) await live;
      const since = after ?? (await client.appendToStream(fresh('live'), event('x'))).position?.commit ?? -1n;
      followers.push({ what: `${what} from ${String(after ?? 'the end')}`, passes, after, since, received });
    };
    const followStream = () => {
      const stream = random.pick(streams);
      const received = idsUntilEnd(client.subscribeToStream(stream), mark, stream);
      followers.push({ what: `stream ${stream}`, passes: (name) => name === stream, after: -1n, since: -1n, received });
    };

    for (let n = 0; n < 4; n += 1) await followAll(n % 2 === 0 ? START : begin);
    followStream();
    let written = 0;
    let newest = begin;
    const write = async (writer: number) => {
      const own = seeded(seed, 'writer', writer);
      while (written < eventsToWrite) {
        const batch = Array.from({ length: own.between(1, 5) }, () =>
          event(`${word}-${own.pick(kinds)}-${own.between(0, 9)}`),
        );
        written += batch.length;
        const { position } = await client.appendToStream(own.pick(streams), batch);
        if (position !== undefined && position.commit > newest.commit) newest = position;
      }
    };
    const join = async () => {
      for (const part of [0.25, 0.5, 0.75]) {
        await eventually('part of the events', () => written > part * eventsToWrite, 50_000);
        for (const from of [START, newest, END] as const) await followAll(from);
        followStream();
      }
    };
    await Promise.all([...Array.from({ length: writers }, (_, writer) => write(writer)), join()]);
    for (const stream of [...streams, endStream]) {
      await client.appendToStream(stream, event(mark));
    }

    const stored: AllStreamResolvedEvent[] = [];
    for await (const resolved of ownEvents(client.readAll({ fromPosition: begin }), streams)) {
      if (resolved.event?.type !== mark) stored.push(resolved);
    }
    expect(stored).to.have.length(written);
    for (const { what, passes, after, since, received } of followers) {
      const ids = await received;
      const beyond = (place: bigint) =>
        stored
          .flatMap(({ event: got }) => (got !== undefined && got.position.commit > place ? [got] : []))
          .filter(({ streamId, type }) => passes(streamId, type))
          .map(({ id }) => id);
      const all = beyond(after ?? -1n);
      const expected = after === undefined ? all.slice(all.length - ids.length) : all;
      expect(ids, `${what}, seed ${seed}`).to.deep.equal(expected);
      expect(ids.length, `${what}, seed ${seed}`).to.be.at.least(beyond(since).length);
    }
  });
});

/** The ids of what a subscription gives, up to the end mark of this stream, marks left out. */
async function idsUntilEnd(events: AsyncIterable<ResolvedEvent>, mark: string, last: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { event } of events) {
    if (event?.type !== mark) ids.push(event?.id ?? '');
    else if (event.streamId === last) break;
  }
  return ids;
}

/** A filter and, apart from it, what it should let through of streams `<head>-<letter>-<number>`. */
function filterChoice(
  random: Random,
  head: string,
  word: string,
): { what: string; filter: Filter; passes: Follower['passes'] } {
  const window = { maxSearchWindow: random.between(1, 32), checkpointInterval: random.between(1, 4) };
  const chosen = (from: readonly string[]) => from.filter((_, n) => n === 0 || random.chance(0.5)).slice(0, 4);
  const [someKinds, someLetters, someNumbers] = [chosen(kinds), chosen(letters), chosen(numbers)];
  const part = (text: string, at: number) => text.slice(text.indexOf(word)).split('-')[at] ?? '';
  switch (random.between(0, 3)) {
    case 0:
      return {
        what: `types ${someKinds.join()}`,
        filter: eventTypeFilter({ prefixes: [...someKinds, 'end'].map((kind) => `${word}-${kind}`), ...window }),
        passes: (_, type) => someKinds.includes(part(type, 1)),
      };
    case 1:
      return {
        what: `types like ${someKinds.join()}, 0 to 4`,
        filter: eventTypeFilter({ regex: `^${word}-((${someKinds.join('|')})-[0-4]|end)$`, ...window }),
        passes: (_, type) => someKinds.includes(part(type, 1)) && Number(part(type, 2)) < 5,
      };
    case 2:
      return {
        what: `streams ${someLetters.join()}`,
        filter: streamNameFilter({ prefixes: [...someLetters, 'end'].map((letter) => `${head}-${letter}`), ...window }),
        passes: (stream) => someLetters.includes(part(stream, 1)),
      };
    default:
      return {
        what: `streams like ${someNumbers.join()}`,
        filter: streamNameFilter({ regex: `^${head}-([a-f]-(${someNumbers.join('|')})|end)$`, ...window }),
        passes: (stream) => someNumbers.includes(part(stream, 2)),
      };
  }
}
