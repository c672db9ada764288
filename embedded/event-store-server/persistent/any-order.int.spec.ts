import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { eventually } from '../../../test/support/eventually.js';
import { makeDataDir, openParts, type Parts } from '../store-fixture.js';
import { append, type Listening, listening, numbered, settings } from './group-fixture.js';
import type { Strategy } from './group-settings.js';
import { openGroups } from './groups.js';
import { loadGroups } from './stored-group.js';

const usual = { ack: 8, retry: 3, park: 1, leave: 2, join: 3, append: 2, replay: 1, restart: 1, crash: 1 };
type Step = { what: keyof typeof usual; at: number; many: number };
const stepsOf = (kinds: (keyof typeof usual)[], weights: Record<keyof typeof usual, number> = usual) =>
  fc.array(
    fc.oneof(
      ...kinds.map((what) => ({
        weight: weights[what],
        arbitrary: fc.record({ what: fc.constant(what), at: fc.nat(9), many: fc.nat(5) }),
      })),
    ),
    { maxLength: 60 },
  );
const always = ['ack', 'retry', 'park', 'leave', 'join', 'append', 'replay'] as const;
const strategies: Strategy[] = ['RoundRobin', 'DispatchToSingle', 'Pinned', 'PinnedByCorrelation'];

/** The store's parts as one process has them: what that writes of its groups after its death is not written. */
function processOf(deps: Parts) {
  let isAlive = true;
  const using = async <T>(bytes: number, work: () => Promise<T>) =>
    deps.room.using(bytes, () => (isAlive ? work() : new Promise<T>(() => {})));
  const groups = openGroups({ ...deps, room: { ...deps.room, using } });
  return {
    groups,
    die() {
      isAlive = false;
    },
  };
}

describe('a persistent subscription, whatever its consumers do (seeded)', () => {
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

  /** Goes through the steps, then handles all that is left, parked events included. @returns how often each was handled */
  async function run(strategy: Strategy, steps: Step[]): Promise<{ written: number; handled: Map<string, number> }> {
    const id = { stream: randomUUID(), group: 'g' };
    let process = processOf(deps);
    await process.groups.create({ ...id, settings: { ...settings, strategy }, filter: undefined, startFrom: 'start' });
    let group = process.groups.find(id);
    let written = 12;
    await append(deps, numbered(written), id.stream);
    const handled = new Map<string, number>();
    let present: Listening[] = [];
    const acknowledge = ({ consumer, sent, held }: Listening, count: number) => {
      const ids = held().slice(0, count);
      const types = new Map(sent.map((each) => [each.id, each.type]));
      group.acknowledge(consumer, ids);
      for (const type of ids.map((each) => types.get(each) ?? '')) handled.set(type, (handled.get(type) ?? 0) + 1);
    };
    for (const { what, at, many } of steps) {
      const someone = present[at % Math.max(1, present.length)];
      if (what === 'append') {
        await append(deps, numbered(many + 1, written), id.stream);
        written += many + 1;
      } else if (what === 'join') {
        const joined = listening(many + 1);
        present.push(joined);
        group.connect(joined.consumer);
      } else if (what === 'replay') group.replayParked(undefined);
      else if (what === 'restart' || what === 'crash') {
        present = [];
        if (what === 'restart') await process.groups.close();
        else process.die();
        process = processOf(deps);
        group = process.groups.find(id);
      } else if (someone === undefined) continue;
      else if (what === 'ack') acknowledge(someone, many + 1);
      else if (what === 'retry') group.retry(someone.consumer, someone.held().slice(0, many), 'because');
      else if (what === 'park') group.park(someone.consumer, someone.held().slice(0, many), 'because');
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
      acknowledge(last, 1_000);
      await deps.writer.idle();
      const { read, retry, outstanding } = group.waiting;
      return read + retry + outstanding === 0 && group.isLive && group.stored.next === written;
    });
    group.replayParked(undefined);
    await eventually('parked events to be handled', async () => {
      acknowledge(last, 1_000);
      await deps.writer.idle();
      return group.parked.count() === 0;
    });
    group.disconnect(last.consumer);
    await process.groups.close();
    expect(loadGroups(deps.storage).find(({ stream }) => stream === id.stream)?.next).to.equal(written);
    await process.groups.delete(id);
    return { written, handled };
  }

  it('handles every event once or parks it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...strategies), stepsOf([...always]), async (strategy, steps) => {
        const { written, handled } = await run(strategy, steps);
        const counts = numbered(written).map((type) => [type, handled.get(type) ?? 0]);
        expect(counts).to.deep.equal(numbered(written).map((type) => [type, 1]));
        expect(handled.size).to.equal(written);
      }),
      { numRuns: 60 },
    );
  }).timeout(60_000);

  it('loses no event when it is restarted again and again, in order or not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...strategies),
        stepsOf([...always, 'restart', 'crash'], { ...usual, park: 4, replay: 3, crash: 2 }),
        async (strategy, steps) => {
          const { written, handled } = await run(strategy, steps);
          expect([...handled.keys()].sort()).to.deep.equal(numbered(written).sort());
        },
      ),
      { numRuns: 60 },
    );
  }).timeout(60_000);
});
