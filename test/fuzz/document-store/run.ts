import { type Case, caseToText } from './case.js';
import { Disagreement, drop, fill } from './collections.js';
import { compareFind } from './reads.js';
import { type Server, startServer } from './server.js';
import { shrink } from './shrink.js';
import { Tally } from './tally.js';
import { type Failure, runWorld } from './world.js';
import { compareWrite } from './writes.js';

export interface Plan {
  readonly seed: number;
  /** number of the first world; every world does the same whichever run before it */
  readonly first: number;
  readonly worlds: number;
  /** No world is begun after so many seconds. */
  readonly seconds: number;
  readonly say: (line: string) => void;
}

export interface Done {
  readonly tally: Tally;
  readonly worlds: number;
  readonly seconds: number;
}

/** Worlds of one server, before it is stopped and its indexes are checked. */
const eraLength = 40;
const shrinkMs = 30_000;
const tellSeconds = 5;

/** A disagreement with the smallest case that shows it, and how it is seen again. */
export class Finding extends Error {
  override readonly name = 'Finding';
}

/** @throws Finding at the first disagreement of server and model */
export async function fuzz({ seed, first, worlds, seconds, say }: Plan): Promise<Done> {
  const tally = new Tally();
  const start = performance.now();
  const spent = () => (performance.now() - start) / 1000;
  let done = 0;
  let told = 0;
  const goesOn = () => done < worlds && (done === 0 || spent() < seconds);
  while (goesOn()) {
    const server = await startServer();
    const era = first + done;
    for (let n = 0; n < eraLength && goesOn(); n += 1) {
      const failure = await runWorld(server, seed, first + done, tally);
      if (failure !== undefined) {
        const when = `after ${tally.answers} answers, ${spent().toFixed(1)} s`;
        const again = `npm run fuzz -- document-store --seed ${seed} --world ${first + done} (found ${when})`;
        throw await findingOf(server, failure, again);
      }
      done += 1;
      if (spent() - told < tellSeconds) continue;
      told = spent();
      say(progress(tally, done, told));
    }
    const faults = await server.end();
    if (faults.length > 0) {
      const worlds = `${era} to ${first + done - 1}`;
      throw new Finding(
        `indexes do not hold what the documents say, worlds ${worlds} of seed ${seed}: ${faults.join('; ')}`,
      );
    }
  }
  return { tally, worlds: done, seconds: spent() };
}

/** Fills collections of its own and asks the case. @throws Disagreement */
export async function replay(server: Server, { operation, ...setting }: Case, tally: Tally): Promise<void> {
  const states = await fill(server, setting);
  try {
    if (operation.kind === 'find') await compareFind(server, states, operation, tally);
    else for (const state of states) await compareWrite(server, state, operation, tally);
  } finally {
    await drop(server, states);
  }
}

async function findingOf(server: Server, { reason, found }: Failure, again: string): Promise<unknown> {
  if (!(reason instanceof Disagreement)) return reason;
  const complaintOf = async (one: Case): Promise<string | undefined> => {
    try {
      await replay(server, one, new Tally());
      return undefined;
    } catch (fault) {
      return fault instanceof Disagreement ? fault.message : undefined;
    }
  };
  const start = performance.now();
  const fails = async (one: Case) => (await complaintOf(one)) !== undefined;
  const smallest = await shrink(found, fails, () => performance.now() - start > shrinkMs);
  const complaint = await complaintOf(smallest);
  return new Finding(
    [
      reason.message,
      complaint === undefined ? '  (it did not fail again alone)' : `  the smallest case: ${complaint}`,
      `  ${caseToText(smallest)}`,
      `  again: ${again}`,
    ].join('\n'),
  );
}

function progress({ cases, answers }: Tally, worlds: number, seconds: number): string {
  const all = [...cases].map(([kind, count]) => `${count} ${kind}`).join(', ');
  return `  ${worlds} worlds, ${all}, ${answers} answers, ${seconds.toFixed(0)} s`;
}
