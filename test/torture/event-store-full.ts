import { cpSync, existsSync } from 'node:fs';
import type { Random } from '../support/seeded.js';
import { begin, bury, compareWhole, end, openLife, settle } from './event-store-life.js';
import { type Outcome, runWriters } from './event-store-writers.js';
import { tellEnd } from './server-process.js';
import { openSmallDisk } from './small-disk.js';
import { demand } from './violation.js';

/** What a round of a full disk adds to the figures of a run. */
export interface FullFigures {
  readonly acknowledged: number;
  readonly unknown: number;
  readonly unknownStored: number;
  /** appends refused for want of room */
  readonly refused: number;
  readonly verified: number;
  readonly watched: number;
}

const writers = 12;
const largest = 60_000;
const diskBytes = 6 * 1024 * 1024;
const stallLimitMs = 60_000;

/**
 * Fills the disk under the writers until they are refused, reads and watches while it is full, makes room, goes on, and
 * starts the store again. What was refused is never stored; what was acknowledged always is.
 *
 * @param dir an empty directory
 * @throws Violation
 */
export async function fullRound(dir: string, random: Random): Promise<FullFigures> {
  const disk = openSmallDisk(dir, diskBytes + random.between(0, 4) * 256 * 1024);
  const life = openLife(disk.dataDir);
  const { ledger } = life;
  let refused = 0;
  try {
    const { store, ways } = await begin(life, disk.startOptions);
    /** Writes until enough outcomes of a kind have been seen. */
    const write = async (kind: Outcome['kind'], enough: number) => {
      let seen = 0;
      const deadline = Date.now() + stallLimitMs;
      await runWriters({
        ledger,
        ways,
        random,
        writers,
        largest,
        going: () => seen < enough && store.isRunning() && Date.now() < deadline,
        onOutcome: (outcome) => {
          if (outcome.kind === kind) seen += 1;
          if (outcome.kind === 'refused') refused += 1;
        },
      });
      if (!store.isRunning()) {
        const how = tellEnd(await store.ended);
        demand(false, () => `the store ended when its disk was full: ${how}`);
      }
      demand(seen >= enough, () => `${enough} appends should have been "${kind}" on ${disk.what}, ${seen} were`);
    };

    await write('refused', random.between(5, 40));
    await settle(life);
    await compareWhole(life);
    disk.makeRoom(store.child.pid ?? 0);
    await write('acknowledged', random.between(30, 100));
    await settle(life);
    await end(life, random.chance(0.5) ? 'SIGKILL' : 'SIGTERM');
    await begin(life);
    await settle(life);
    await compareWhole(life);
    await bury(life);
    const { acknowledged, unknown, unknownStored } = ledger.counts;
    const watched = life.watchers.reduce((sum, { seen }) => sum + seen, 0);
    return { acknowledged, unknown, unknownStored, refused, verified: ledger.log.length, watched };
  } catch (err) {
    if (life.running !== undefined) await end(life, 'SIGKILL');
    // The disk itself goes; what is wrong stays to be looked at.
    if (existsSync(disk.dataDir)) cpSync(disk.dataDir, `${dir}-kept`, { recursive: true });
    throw err;
  } finally {
    disk.remove();
  }
}
