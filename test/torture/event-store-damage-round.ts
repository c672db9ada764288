import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inParallel } from '../../runtime/in-parallel.js';
import { type Random, seeded } from '../support/seeded.js';
import { cut, flip } from './event-store-damage.js';
import { inspect, type Verdict } from './event-store-inspect.js';
import { type Truth, writeTruth } from './event-store-truth.js';
import { demand, Violation } from './violation.js';

export type DamageKind = 'cut' | 'flip';
export type Tally = Record<Verdict['kind'], number>;

/** A store whose content is known, to be copied and damaged. */
export interface Specimen {
  readonly dir: string;
  readonly truth: Truth;
}

const damages = { cut, flip } as const;
const lanes = 2;

/** Makes a specimen in an empty directory. @throws Violation when it is not served complete before anybody damages it */
export async function makeSpecimen(dir: string, random: Random): Promise<Specimen> {
  const truth = await writeTruth(dir, random);
  const copy = `${dir}-control`;
  cpSync(dir, copy, { recursive: true });
  const { kind, because } = await inspect(copy, truth);
  demand(kind === 'complete', () => `data that nobody damaged are not served: ${because}`);
  rmSync(copy, { recursive: true });
  return { dir, truth };
}

/**
 * Damages copies of the specimen, each in its own way, and has a server answer from each.
 *
 * @param scratch an empty directory; the copies of a violation are left in it
 * @returns what became of the copies
 * @throws Violation naming the damage and the copy
 */
export async function damageRound(
  kind: DamageKind,
  specimen: Specimen,
  scratch: string,
  random: Random,
  copies: number,
): Promise<Tally> {
  const tally: Tally = { complete: 0, refused: 0, dead: 0 };
  const run = random.uuid();
  const items = Array.from({ length: copies }, (_, copy) => copy);
  await inParallel(items, lanes, async (copy) => {
    const dir = join(scratch, `${kind}-${copy}`);
    mkdirSync(scratch, { recursive: true });
    cpSync(specimen.dir, dir, { recursive: true });
    const { what, atStart } = damages[kind](join(dir, 'events.mdb'), seeded(run, copy));
    try {
      const verdict = await inspect(dir, specimen.truth);
      demand(!atStart || !verdict.started, () => 'the store starts on a file that was cut');
      tally[verdict.kind] += 1;
    } catch (err) {
      if (!(err instanceof Violation)) throw err;
      throw new Violation(`${err.message}\n  damage: ${what}\n  copy: ${dir}`);
    }
    rmSync(dir, { recursive: true });
  });
  return tally;
}
