import { join } from 'node:path';
import { type Asked, readArguments, UsageError } from './arguments.js';
import { machineLine } from './machine.js';
import { questions } from './questions.js';
import { answer, type Result, rootFolder } from './result.js';
import { table } from './rows.js';

const began = performance.now();
const giveUp = new AbortController();

function progress(text: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(0).padStart(5);
  process.stderr.write(`${seconds} s  ${text}\n`);
}

/** Asks them one after the other; one that fails does not keep the others from being answered. */
async function askAll(asked: readonly Asked[]): Promise<void> {
  const results: Result[] = [];
  const paths: string[] = [];
  for (const one of asked) {
    const { name } = one.question;
    const tell = (text: string) => progress(`${name}: ${text}`);
    const folder = join(rootFolder(), 'bench/results');
    try {
      const { result, path } = await answer(one, { folder, progress: tell, signal: giveUp.signal });
      results.push(result);
      paths.push(path);
    } catch (err) {
      process.exitCode = 1;
      if (giveUp.signal.aborted) return;
      tell(err instanceof Error ? err.message : String(err));
    }
  }
  show(results, paths);
}

function show(results: readonly Result[], paths: readonly string[]): void {
  const [first] = results;
  if (first === undefined) return;
  const prefix = (name: string) => (results.length > 1 ? `${name}: ` : '');
  const rows = results.flatMap(({ question, rows }) =>
    rows.map((row) => ({ ...row, measure: `${prefix(question)}${row.measure}` })),
  );
  const missed = rows.filter(({ met }) => met === false).length;
  const goals = rows.filter(({ goal }) => goal !== undefined).length;
  const lines = [
    `${machineLine(first.machine)}; commit ${first.commit}; ${first.rounds} rounds, seed ${first.seed}`,
    ...results.map(({ question, sizes, seconds }) => `${question}: ${JSON.stringify(sizes)}, ${seconds} s`),
    '',
    table(rows),
    '',
    `${goals - missed} of ${goals} goals met`,
    ...paths,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    progress('giving up, one moment');
    giveUp.abort(new Error(signal));
  });
}
try {
  await askAll(readArguments(process.argv.slice(2), questions));
  process.exit(giveUp.signal.aborted ? 130 : (process.exitCode ?? 0));
} catch (err) {
  process.stderr.write(`${err instanceof Error ? err.message : String(err)}\n`);
  process.exit(err instanceof UsageError ? 2 : 1);
}
