import { type Random, seeded } from '../../support/seeded.js';
import { type Case, caseToText, type Operation } from './case.js';
import { Disagreement, drop, fill, type Pair, type State } from './collections.js';
import { find, type World, world, write as writeOperation } from './generate-cases.js';
import { compareFind, known } from './reads.js';
import { type Server, startServer } from './server.js';
import { shrink } from './shrink.js';
import { Tally } from './tally.js';
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
const findsInWorld = 120;
const writesInWorld = 12;
const atOnce = 25;
const shrinkMs = 30_000;

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
  while (done < worlds && (done === 0 || spent() < seconds)) {
    const server = await startServer();
    const era = first + done;
    for (let n = 0; n < eraLength && done < worlds && (done === 0 || spent() < seconds); n += 1, done += 1) {
      await runWorld(server, seed, first + done, tally);
      if (spent() - told < 5) continue;
      told = spent();
      say(progress(tally, done + 1, told));
    }
    const faults = await server.end();
    if (faults.length > 0) {
      throw new Finding(
        `--verify finds faults after worlds ${era} to ${first + done - 1} of seed ${seed}: ${faults.join('; ')}`,
      );
    }
  }
  return { tally, worlds: done, seconds: spent() };
}

async function runWorld(server: Server, seed: number, number: number, tally: Tally): Promise<void> {
  const random = seeded(seed, 'document-store', number);
  const { ground, ...setting } = world(random);
  let pair: Pair;
  try {
    pair = await fill(server, setting);
  } catch (err) {
    throw await finding(server, err, { ...setting, operation: find(random, ground) }, seed, number);
  }
  const docs = known(pair.docs);
  const operations = Array.from({ length: findsInWorld }, () => find(random, { ...ground, docs: pair.docs }));
  for (let at = 0; at < operations.length; at += atOnce) {
    const batch = operations.slice(at, at + atOnce);
    const verdicts = await Promise.allSettled(
      batch.map((operation) => compareFind(server, pair, docs, operation, tally)),
    );
    for (const [n, verdict] of verdicts.entries()) {
      const operation = batch[n] as Operation;
      tally.add(operation);
      if (verdict.status === 'rejected') {
        throw await finding(server, verdict.reason, { ...setting, operation }, seed, number);
      }
    }
  }
  await write(server, random, { ground, ...setting }, pair, tally, seed, number);
  await drop(server, pair);
}

/** A series of writes to both collections, each held against the model, and a few finds of what they leave. */
async function write(
  server: Server,
  random: Random,
  { ground, ...setting }: World,
  pair: Pair,
  tally: Tally,
  seed: number,
  number: number,
): Promise<void> {
  let [plain, indexed]: State[] = [pair.plain, pair.indexed].map((target) => ({ ...target, docs: pair.docs }));
  let fresh = 0;
  for (let n = 0; n < writesInWorld; n += 1) {
    if (plain === undefined || indexed === undefined || indexed.docs.length === 0) return;
    const operation = writeOperation(random, { pool: ground.pool, docs: indexed.docs }, () => `new-${++fresh}`);
    for (let m = operation.kind === 'update' ? operation.statements.length : 1; m > 0; m -= 1) tally.add(operation);
    const states = [plain, indexed];
    const verdicts = await Promise.allSettled(states.map((state) => compareWrite(server, state, operation, tally)));
    for (const [at, verdict] of verdicts.entries()) {
      const { docs, indexes } = states[at] as State;
      if (verdict.status === 'rejected') {
        throw await finding(
          server,
          verdict.reason,
          { docs, indexes, indexesLast: setting.indexesLast, operation },
          seed,
          number,
        );
      }
    }
    [plain, indexed] = verdicts.map((verdict) =>
      verdict.status === 'fulfilled' ? verdict.value : undefined,
    ) as State[];
  }
}

/** Fills collections of its own and asks the case. @throws Disagreement */
export async function replay(server: Server, { operation, ...setting }: Case, tally: Tally): Promise<void> {
  const pair = await fill(server, setting);
  try {
    if (operation.kind === 'find') await compareFind(server, pair, known(pair.docs), operation, tally);
    else {
      for (const target of [pair.plain, pair.indexed]) {
        await compareWrite(server, { ...target, docs: pair.docs }, operation, tally);
      }
    }
  } finally {
    await drop(server, pair);
  }
}

async function finding(server: Server, err: unknown, found: Case, seed: number, number: number): Promise<unknown> {
  if (!(err instanceof Disagreement)) return err;
  const complaintOf = async (one: Case): Promise<string | undefined> => {
    try {
      await replay(server, one, new Tally());
      return undefined;
    } catch (fault) {
      return fault instanceof Disagreement ? fault.message : undefined;
    }
  };
  const start = performance.now();
  const smallest = await shrink(
    found,
    async (one) => (await complaintOf(one)) !== undefined,
    () => performance.now() - start > shrinkMs,
  );
  const complaint = await complaintOf(smallest);
  const alone = complaint === undefined ? '  (it did not fail again alone)\n' : '';
  return new Finding(
    `${err.message}\n${alone}  the smallest case: ${complaint ?? ''}\n  ${caseToText(smallest)}\n` +
      `  again: npm run fuzz -- document-store --seed ${seed} --world ${number}`,
  );
}

function progress({ cases, answers }: Tally, worlds: number, seconds: number): string {
  const all = [...cases].map(([kind, count]) => `${count} ${kind}`).join(', ');
  return `  ${worlds} worlds, ${all}, ${answers} answers, ${seconds.toFixed(0)} s`;
}
