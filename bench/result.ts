import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Asked } from './arguments.js';
import { ask } from './harness.js';
import { commitOf, describeMachine, type Machine } from './machine.js';
import type { Row } from './rows.js';

/** One question's answer, as its JSON file holds it. */
export interface Result {
  readonly question: string;
  /** ISO 8601 */
  readonly at: string;
  /** of the whole run */
  readonly seconds: number;
  readonly commit: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly seed: number;
  readonly sizes: Readonly<Record<string, number>>;
  readonly rows: readonly Row[];
}

export interface AnswerOptions {
  /** where the JSON file goes; made when it is not there */
  readonly folder: string;
  readonly progress: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** The root of the source tree, also for compiled code. */
export function rootFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

/**
 * Asks a question and keeps the answer as `<folder>/<question>-<time>.json`.
 *
 * @throws what the question failed with; nothing is written then
 */
export async function answer(asked: Asked, options: AnswerOptions): Promise<{ result: Result; path: string }> {
  const { question, sizes, rounds, seed } = asked;
  const { folder, ...settings } = options;
  const at = new Date().toISOString();
  const started = performance.now();
  const [machine, commit] = await Promise.all([describeMachine(), commitOf(rootFolder())]);
  const rows = await ask(question, { sizes, rounds, seed, ...settings });
  const seconds = Math.round((performance.now() - started) / 1000);
  const result = { question: question.name, at, seconds, commit, machine, rounds, seed, sizes, rows };
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${question.name}-${at.replaceAll(/[:.]/g, '-')}.json`);
  await writeFile(path, `${JSON.stringify(result, null, 2)}\n`);
  return { result, path };
}
