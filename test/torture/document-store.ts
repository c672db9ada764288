import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { seeded } from '../support/seeded.js';
import { type Kind, killRound, kinds } from './document-store-kill.js';
import { begin, end, type Life, openLife, verify } from './document-store-life.js';
import { linesOf, runRounds } from './rounds.js';
import { Violation } from './violation.js';

/** Ten rounds hold every kind, and so do the first six. */
const order: readonly Kind[] = [
  'writes',
  'build',
  'stop',
  'sweep',
  'twice',
  'start',
  'build',
  'writes',
  'twice',
  'build',
];

export interface Plan {
  readonly seed: number;
  /** numbers of the rounds to run */
  readonly rounds: readonly number[];
  readonly kindOf: (round: number) => Kind;
  readonly say: (line: string) => void;
}

export interface Done {
  readonly rounds: Record<Kind, number>;
  readonly counts: Life['books']['ledger']['counts'];
  /** documents that readers were given while writers wrote */
  readonly seen: number;
  /** cursors that were open at an end, and answered with CursorNotFound afterwards */
  readonly deadCursors: number;
  /** documents that `--verify` looked at */
  readonly verified: number;
  /** calls that waited for an answer when an end came, by kind */
  readonly inFlight: ReadonlyMap<string, number>;
  readonly seconds: number;
}

const options = {
  rounds: { type: 'string', default: '10' },
  seed: { type: 'string' },
  only: { type: 'string' },
  round: { type: 'string' },
} as const;

const flags = z.object({
  rounds: z.coerce.number().int().min(1),
  seed: z.coerce.number().int().min(0).optional(),
  only: z.enum(kinds).optional(),
  round: z.coerce.number().int().min(1).optional(),
});

/**
 * `npm run torture -- document-store [--rounds 10] [--seed S] [--only KIND] [--round N]`: ends the store again and again
 * under 16 writers, and compares what it then holds with what it was told. Ends with exit code 1 at the first thing that
 * must not be, and keeps the data. `--round` runs that one round alone, on an empty store.
 */
export async function runDocumentStoreTorture(args: string[]): Promise<void> {
  const parsed = flags.safeParse(parseArgs({ args, options }).values);
  if (!parsed.success)
    throw new Error(parsed.error.issues.map((i) => `--${i.path.join('.')}: ${i.message}`).join('. '));
  const { rounds, only, round, seed = Math.floor(Math.random() * 1e9) } = parsed.data;
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  const numbers = round === undefined ? Array.from({ length: rounds }, (_, n) => n + 1) : [round];
  const kindOf = only === undefined ? planned : () => only;
  say(`document-store: ${numbers.length} rounds, seed ${seed}`);
  try {
    const done = await torture({ seed, rounds: numbers, kindOf, say });
    say(`${tableOf(done)}\ndocument-store: everything acknowledged was stored, and nothing else`);
  } catch (err) {
    if (!(err instanceof Violation)) throw err;
    say(`VIOLATION: ${err.message}`);
    process.exitCode = 1;
  }
}

/** The kind of a round in a mixed run. @param round from 1 */
export const planned = (round: number): Kind => order[(round - 1) % order.length] ?? 'writes';

/** @throws Violation at the first thing that must not be; its message says where the data are and how to run it again */
export async function torture({ seed, rounds, kindOf, say }: Plan): Promise<Done> {
  const start = performance.now();
  const count = Object.fromEntries(kinds.map((kind) => [kind, 0])) as Record<Kind, number>;
  const sums = { seen: 0, deadCursors: 0, verified: 0 };
  const inFlight = new Map<string, number>();
  let counts: Done['counts'] | undefined;
  const command = `npm run torture -- document-store --seed ${seed}`;
  await runRounds({ command, numbers: rounds, kindOf, planned, say }, (home) => {
    const life = openLife(join(home, 'data'));
    counts = life.books.ledger.counts;
    return {
      async round(number, kind) {
        const added = await killRound(life, kind, seeded(seed, kind, number));
        for (const name of ['seen', 'deadCursors', 'verified'] as const) sums[name] += added[name];
        for (const [what, calls] of added.inFlight) inFlight.set(what, (inFlight.get(what) ?? 0) + calls);
        count[kind] += 1;
        const { acknowledged, unknown } = life.books.ledger.counts;
        return `${acknowledged} acknowledged, ${unknown} unknown`;
      },
      async finish() {
        if (life.running === undefined) await begin(life);
        await end(life, 'SIGTERM');
        await verify(life);
      },
      abandon: () => void life.running?.store.child.kill('SIGKILL'),
    };
  });
  if (counts === undefined) throw new Error('No round was run.');
  return { rounds: count, counts, ...sums, inFlight, seconds: (performance.now() - start) / 1000 };
}

export function tableOf({ rounds, counts, seen, deadCursors, verified, inFlight, seconds }: Done): string {
  const waiting = [...inFlight].sort(([, a], [, b]) => b - a).map(([what, calls]) => `${calls} ${what}`);
  return linesOf([
    ['rounds', kinds.map((kind) => `${rounds[kind]} ${kind}`).join(', ')],
    ['writes acknowledged', `${counts.acknowledged}, of ${counts.statements} statements; ${counts.refused} refused`],
    ['of unknown outcome', `${counts.unknown}, found stored, whole or in part, ${counts.unknownStored}`],
    ['documents compared', `${counts.verified}, lost 0`],
    ['seen by --verify', String(verified)],
    ['given to readers', `${seen}, and ${deadCursors} cursors not found after an end`],
    ['waiting at an end', waiting.join(', ')],
    ['seconds', seconds.toFixed(1)],
  ]);
}
