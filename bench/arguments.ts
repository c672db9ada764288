import { parseArgs } from 'node:util';
import type { Question } from './harness.js';

/** What was asked for on the command line. */
export interface Asked {
  readonly question: Question;
  readonly sizes: Readonly<Record<string, number>>;
  readonly rounds: number;
  readonly seed: number;
}

/** The command line cannot be understood; the message says how it is written. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const common = {
  rounds: { default: 9, about: 'rounds that are kept of each comparison; fewer than nine are for a quick look only' },
  seed: { default: 1, about: 'of the data that are written' },
};

/**
 * Reads `[<name>] [--<size> <number> ...]`: one question with its sizes, or all of them with what they have in common.
 *
 * @throws UsageError
 */
export function readArguments(argv: readonly string[], questions: readonly Question[]): Asked[] {
  const [first = '', ...rest] = argv;
  const named = first !== '' && !first.startsWith('-');
  const wanted = named ? questions.filter(({ name }) => name === first) : questions;
  if (wanted.length === 0) throw new UsageError(usage(questions));
  const own = named ? (wanted[0]?.sizes ?? {}) : {};
  const given = readNumbers(named ? rest : argv, Object.keys({ ...common, ...own }), questions);
  return wanted.map((question) => ({
    question,
    sizes: Object.fromEntries(
      Object.entries(question.sizes).map(([name, size]) => [name, given[name] ?? size.default]),
    ),
    rounds: given['rounds'] ?? common.rounds.default,
    seed: given['seed'] ?? common.seed.default,
  }));
}

function readNumbers(
  args: readonly string[],
  names: readonly string[],
  questions: readonly Question[],
): Partial<Record<string, number>> {
  let values: Record<string, unknown>;
  try {
    const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
    ({ values } = parseArgs({ args: [...args], options }));
  } catch (err) {
    throw new UsageError(`${err instanceof Error ? err.message : String(err)}\n\n${usage(questions)}`);
  }
  const numbers: Record<string, number> = {};
  for (const [name, text] of Object.entries(values)) {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 1) throw new UsageError(`--${name} is to be a whole number from 1 on.`);
    numbers[name] = value;
  }
  return numbers;
}

function usage(questions: readonly Question[]): string {
  const sizes = (of: Question['sizes']) =>
    Object.entries(of).map(([name, size]) => `    --${name} ${size.default}`.padEnd(30) + size.about);
  return [
    'npm run bench [-- <name>] [options]',
    '',
    ...sizes(common),
    ...questions.flatMap((question) => ['', `${question.name}: ${question.about}`, ...sizes(question.sizes)]),
  ].join('\n');
}
