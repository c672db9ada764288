import type { ChildProcess } from 'node:child_process';
import { entryPoint } from '../../support/entry-point.js';
import { exitOf, spawnEntry } from '../../support/spawn-entry.js';
import type { Victim } from './kills.js';

export interface Importer extends Victim {
  /** Ends when the import has, however often it was killed and begun again meanwhile. `rounds` counts those that ended. */
  readonly done: Promise<{ code: number | null; output: string; rounds: number }>;
  readonly isDone: () => boolean;
}

/**
 * Runs `shopledger import online-retail` as a process of its own, and again whenever it was killed.
 *
 * @param argsOf what follows the file, by the round, from 1 on
 * @param wantsMore asked when a round ended well: whether there is another
 */
export function startImporter(
  file: string,
  argsOf: (round: number) => readonly string[],
  wantsMore: (rounds: number) => boolean = () => false,
): Importer {
  const main = entryPoint(import.meta.url, '../../../cli/main');
  let child: ChildProcess | undefined;
  let ended = false;
  const killed = new WeakSet<ChildProcess>();
  const run = async () => {
    for (let round = 1; ; ) {
      const current = spawnEntry(main, ['import', 'online-retail', file, ...argsOf(round)]);
      child = current;
      let output = '';
      for (const stream of [current.stdout, current.stderr]) {
        stream?.setEncoding('utf8').on('data', (text: string) => {
          output += text;
        });
      }
      const code = await exitOf(current);
      if (killed.has(current)) continue;
      if (code === 0 && wantsMore(round)) {
        round += 1;
        continue;
      }
      ended = true;
      return { code, output, rounds: round };
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
