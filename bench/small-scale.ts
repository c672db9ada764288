import { expect } from 'chai';
import { ask, type Question } from './harness.js';
import type { Row } from './rows.js';

/**
 * Asks a question on a small scale, for its spec: two rounds, every figure a number above zero.
 *
 * @returns its rows, and what was told meanwhile
 */
export async function askSmall<Name extends string>(
  question: Question<Name>,
  sizes: Readonly<Record<Name, number>>,
): Promise<{ rows: Row[]; told: string[] }> {
  const told: string[] = [];
  const rows = await ask(question, { sizes, rounds: 2, seed: 1, progress: (text) => told.push(text) });
  for (const { measure, samples, value, goal, met } of rows) {
    expect(samples, measure).to.have.length(2);
    for (const figure of [...samples, ...Object.values(value)]) {
      expect(Number.isFinite(figure) && figure > 0, `${measure}: ${figure}`).to.equal(true);
    }
    expect(met, measure).to.be.a(goal === undefined ? 'undefined' : 'boolean');
  }
  expect(told.filter((text) => text.startsWith('could not tidy up'))).to.deep.equal([]);
  return { rows, told };
}

/** How often each goal is held against a figure. */
export function goalsOf(rows: readonly Row[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { id, goal } of rows) {
    if (goal === undefined) continue;
    const name = `${id} ${JSON.stringify(goal)}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
