import { entryPoint } from '../../support/entry-point.js';
import { runEntry } from '../../support/spawn-entry.js';
import type { DrillSystem } from '../drill-system.js';

const main = entryPoint(import.meta.url, '../../../cli/main');

/** Runs `shopledger` as a person would, against the drill's system. @throws Error with its complaint where it has one */
export async function shopledger({ data }: DrillSystem, ...args: string[]): Promise<{ code: number; said: string }> {
  const { code, stdout, stderr } = await runEntry(main, [...args, '--data', data.path, '--by', 'drill']);
  if (code !== 0 && stdout === '') throw new Error(`shopledger ${args.join(' ')}: ${stderr}`);
  return { code: code ?? 1, said: stdout.trim() };
}
