import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { seeded } from '../support/seeded.js';
import { damageRound, makeSpecimen, type Specimen, type Tally } from './event-store-damage-round.js';
import { fullRound } from './event-store-full.js';
import { killRound } from './event-store-kill.js';
import { begin, bury, compareWhole, type Life, openLife } from './event-store-life.js';
import { linesOf, runRounds } from './rounds.js';
import { Violation } from './violation.js';

const kinds = ['kill', 'cut', 'flip', 'full'] as const;
export type Kind = (typeof kinds)[number];

/** Ten rounds hold every kind. */
const order: readonly Kind[] = ['kill', 'flip', 'kill', 'cut', 'kill', 'full', 'kill', 'flip', 'kill', 'cut'];

export interface Plan {
  readonly seed: number;
  /** numbers of the rounds to run; a round does the same whichever run before it */
  readonly rounds: readonly number[];
  readonly kindOf: (round: number) => Kind;
  /** damaged copies in a round of cuts or flips */
  readonly copies: number;
  readonly say: (line: string) => void;
}

export interface Done {
  readonly rounds: Record<Kind, number>;
  readonly acknowledged: number;
  readonly unknown: number;
  readonly unknownStored: number;
  /** events compared with what was sent */
  readonly verified: number;
  /** events that subscribers were given, each compared with the log */
  readonly watched: number;
  readonly damaged: Record<'cut' | 'flip', Tally>;
  readonly refusedForRoom: number;
  readonly seconds: number;
}

const options = {
  rounds: { type: 'string', default: '10' },
  seed: { type: 'string' },
  only: { type: 'string' },
  round: { type: 'string' },
  copies: { type: 'string', default: '10' },
} as const;

const flags = z.object({
  rounds: z.coerce.number().int().min(1),
  seed: z.coerce.number().int().min(0).optional(),
  only: z.enum(kinds).optional(),
  round: z.coerce.number().int().min(1).optional(),
  copies: z.coerce.number().int().min(1),
});

/**
 * `npm run torture -- event-store [--rounds 10] [--seed S] [--only kill|cut|flip|full] [--copies 10] [--round N]`: kills
 * the store under 32 writers, damages its file, fills its disk, and compares what it answers with what it was told.
 * Ends with exit code 1 at the first thing that must not be, and keeps the data. `--round` runs that one round alone.
 */
export async function runEventStoreTorture(args: string[]): Promise<void> {
  const parsed = flags.safeParse(parseArgs({ args, options }).values);
  if (!parsed.success)
    throw new Error(parsed.error.issues.map((i) => `--${i.path.join('.')}: ${i.message}`).join('. '));
  const { rounds, only, round, copies, seed = Math.floor(Math.random() * 1e9) } = parsed.data;
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  const numbers = round === undefined ? Array.from({ length: rounds }, (_, n) => n + 1) : [round];
  const kindOf = only === undefined ? planned : () => only;
  say(`event-store: ${numbers.length} rounds, seed ${seed}`);
  try {
    const done = await torture({ seed, rounds: numbers, kindOf, copies, say });
    say(`${tableOf(done)}\nevent-store: everything acknowledged was stored, and nothing else was served`);
  } catch (err) {
    if (!(err instanceof Violation)) throw err;
    say(`VIOLATION: ${err.message}`);
    process.exitCode = 1;
  }
}

/** The kind of a round in a mixed run. @param round from 1 */
export const planned = (round: number): Kind => order[(round - 1) % order.length] ?? 'kill';

/** @throws Violation at the first thing that must not be; its message says where the data are and how to run it again */
export async function torture(plan: Plan): Promise<Done> {
  const { seed, rounds, kindOf, copies, say } = plan;
  const start = performance.now();
  const full = { acknowledged: 0, unknown: 0, unknownStored: 0, refused: 0, verified: 0, watched: 0 };
  const count: Record<Kind, number> = { kill: 0, cut: 0, flip: 0, full: 0 };
  const damaged = { cut: { complete: 0, refused: 0, dead: 0 }, flip: { complete: 0, refused: 0, dead: 0 } };
  let specimen: Specimen | undefined;
  let life: Life | undefined;
  const command = `npm run torture -- event-store --seed ${seed} --copies ${copies}`;
  await runRounds({ command, numbers: rounds, kindOf, planned, say }, (home) => {
    const own = openLife(join(home, 'kill'));
    life = own;
    return {
      async round(number, kind) {
        const random = seeded(seed, kind, number);
        if (kind === 'kill') await killRound(own, random);
        else if (kind === 'full') {
          const filled = await fullRound(join(home, `full-${number}`), random);
          for (const [name, value] of Object.entries(filled)) full[name as keyof typeof full] += value;
        } else {
          specimen ??= await makeSpecimen(join(home, 'specimen'), seeded(seed, 'specimen'));
          const tally = await damageRound(kind, specimen, join(home, `round-${number}`), random, copies);
          for (const [verdict, value] of Object.entries(tally)) damaged[kind][verdict as keyof Tally] += value;
        }
        count[kind] += 1;
        const { acknowledged, unknown } = own.ledger.counts;
        return `${acknowledged + full.acknowledged} acknowledged, ${unknown + full.unknown} unknown`;
      },
      async finish() {
        if (count.kill === 0) return;
        if (own.running === undefined) await begin(own);
        await compareWhole(own);
        await bury(own);
      },
      abandon: () => void own.running?.store.child.kill('SIGKILL'),
    };
  });
  if (life === undefined) throw new Error('No round was run.');
  const { counts, log } = life.ledger;
  return {
    rounds: count,
    acknowledged: counts.acknowledged + full.acknowledged,
    unknown: counts.unknown + full.unknown,
    unknownStored: counts.unknownStored + full.unknownStored,
    verified: log.length + full.verified,
    watched: watchedBy(life) + full.watched,
    damaged,
    refusedForRoom: full.refused,
    seconds: (performance.now() - start) / 1000,
  };
}

const watchedBy = ({ watchers }: Life): number => watchers.reduce((sum, { seen }) => sum + seen, 0);

export function tableOf(done: Done): string {
  const { rounds, damaged } = done;
  const verdicts = ({ complete, refused, dead }: Tally) => `${complete} complete, ${refused} refused, ${dead} dead`;
  return linesOf([
    ['rounds', kinds.map((kind) => `${rounds[kind]} ${kind}`).join(', ')],
    ['appends acknowledged', String(done.acknowledged)],
    ['of unknown outcome', `${done.unknown}, found stored ${done.unknownStored}`],
    ['events verified', String(done.verified)],
    ['events watched', String(done.watched)],
    ['files cut', verdicts(damaged.cut)],
    ['files with garbled pages', verdicts(damaged.flip)],
    ['refused, disk full', String(done.refusedForRoom)],
    ['seconds', done.seconds.toFixed(1)],
  ]);
}
