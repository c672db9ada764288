import type { ChildProcess } from 'node:child_process';
import { entryPoint } from '../../support/entry-point.js';
import { exitOf, spawnEntry } from '../../support/spawn-entry.js';
import type { Victim } from './kills.js';

export interface Importer extends Victim {
  /** Ends when the import has, however often it was killed and begun again meanwhile. */
  readonly done: Promise<{ code: number | null; output: string }>;
  readonly isDone: () => boolean;
}

/**
 * Runs `shopledger import online-retail` as a process of its own, and again whenever it was killed.
 *
 * @param args what follows the file
 */
export function startImporter(file: string, args: readonly string[]): Importer {
  const main = entryPoint(import.meta.url, '../../../cli/main');
  let child: ChildProcess | undefined;
  let ended = false;
  const killed = new WeakSet<ChildProcess>();
  const run = async () => {
    for (;;) {
      const current = spawnEntry(main, ['import', 'online-retail', file, ...args]);
      child = current;
      let output = '';
      for (const stream of [current.stdout, current.stderr]) {
        stream?.setEncoding('utf8').on('data', (text: string) => {
          output += text;
        });
      }
      const code = await exitOf(current);
      if (killed.has(current)) continue;
      ended = true;
      return { code, output };
    }
  };
  const done = run();
  return {
    name: 'importer',
    done,
    isDone: () => ended,
    isUp: () => child !== undefined && child.exitCode === null && child.signalCode === null,
    kill() {
      if (child === undefined || child.exitCode !== null || !child.kill('SIGKILL')) return false;
      killed.add(child);
      return true;
    },
  };
}
