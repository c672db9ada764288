import { parseArgs } from 'node:util';
import { z } from 'zod';
import { type Done, Finding, fuzz } from './document-store/run.js';

const options = {
  minutes: { type: 'string', default: '1' },
  seed: { type: 'string' },
  world: { type: 'string' },
} as const;

const flags = z.object({
  minutes: z.coerce.number().positive(),
  seed: z.coerce.number().int().min(0).optional(),
  world: z.coerce.number().int().min(1).optional(),
});

/**
 * `npm run fuzz -- document-store [--minutes 1] [--seed S] [--world N]`: asks random documents, indexes and operations
 * of the document store and of a model written from MongoDB's manual. Ends with exit code 1 at the first disagreement,
 * with the smallest case that shows it. `--world` runs that one world alone.
 */
export async function fuzzDocumentStore(args: string[]): Promise<void> {
  const parsed = flags.safeParse(parseArgs({ args, options }).values);
  if (!parsed.success)
    throw new Error(parsed.error.issues.map((i) => `--${i.path.join('.')}: ${i.message}`).join('. '));
  const { minutes, world, seed = Math.floor(Math.random() * 1e9) } = parsed.data;
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  say(`document-store: seed ${seed}`);
  const worlds = world === undefined ? Number.POSITIVE_INFINITY : 1;
  try {
    say(summaryOf(await fuzz({ seed, first: world ?? 1, worlds, seconds: minutes * 60, say })));
  } catch (err) {
    if (!(err instanceof Finding)) throw err;
    say(`DISAGREEMENT: ${err.message}`);
    process.exitCode = 1;
  }
}

export function summaryOf({ tally, worlds, seconds }: Done): string {
  const list = (counts: ReadonlyMap<string | number, number>) =>
    [...counts].map(([name, count]) => `${name}: ${count}`).join(', ') || 'none';
  const cases = [...tally.cases.values()].reduce((sum, count) => sum + count, 0);
  return [
    `  cases            ${list(tally.cases)}`,
    `  answers compared ${tally.answers} (${Math.round(tally.answers / seconds)} a second)`,
    `  refused alike    ${list(tally.refusals)}`,
    `  not supported    ${list(tally.unsupported)}`,
    `document-store: ${cases} cases in ${worlds} worlds, 0 disagreements, ${seconds.toFixed(1)} s`,
  ].join('\n');
}
