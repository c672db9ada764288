import { type Random, seeded } from '../../support/seeded.js';
import type { Case, Operation } from './case.js';
import { drop, fill, type State } from './collections.js';
import { find, type World, world, write } from './generate-cases.js';
import { compareFind } from './reads.js';
import type { Server } from './server.js';
import type { Tally } from './tally.js';
import { compareWrite } from './writes.js';

const findsInWorld = 120;
const writesInWorld = 12;
const findsAfterWrites = 30;
const atOnce = 25;

/** A case that went wrong, and what is wrong. */
export interface Failure {
  readonly reason: unknown;
  readonly found: Case;
}

/** Fills two collections, asks them and writes to them. @returns the first thing that went wrong */
export async function runWorld(
  server: Server,
  seed: number,
  number: number,
  tally: Tally,
): Promise<Failure | undefined> {
  const random = seeded(seed, 'document-store', number);
  const setting = world(random);
  let states: State[];
  try {
    states = await fill(server, setting);
  } catch (reason) {
    return { reason, found: { ...setting, operation: find(random, setting.ground, []) } };
  }
  const failure =
    (await ask(server, random, setting, states, findsInWorld, tally)) ??
    (await writeAndAsk(server, random, setting, states, tally));
  if (failure === undefined) await drop(server, states);
  return failure;
}

async function ask(
  server: Server,
  random: Random,
  setting: World,
  states: readonly State[],
  count: number,
  tally: Tally,
): Promise<Failure | undefined> {
  const docs = states[0]?.docs ?? [];
  const finds = Array.from({ length: count }, () => find(random, { ...setting.ground, docs }, setting.indexes));
  for (let at = 0; at < finds.length; at += atOnce) {
    const batch = finds.slice(at, at + atOnce);
    const verdicts = await Promise.allSettled(batch.map((one) => compareFind(server, states, one, tally)));
    for (const [n, verdict] of verdicts.entries()) {
      const operation = batch[n] as Operation;
      tally.add(operation);
      if (verdict.status === 'rejected') return { reason: verdict.reason, found: { ...setting, docs, operation } };
    }
  }
  return undefined;
}

/** A series of writes to both collections; after it they need not hold the same any more. */
async function writeAndAsk(
  server: Server,
  random: Random,
  setting: World,
  start: readonly State[],
  tally: Tally,
): Promise<Failure | undefined> {
  let states = start;
  let fresh = 0;
  for (let n = 0; n < writesInWorld; n += 1) {
    const docs = states.at(-1)?.docs ?? [];
    if (docs.length === 0) return undefined;
    const operation = write(random, { ...setting.ground, docs }, () => `new-${++fresh}`);
    tally.add(operation);
    const verdicts = await Promise.allSettled(states.map((state) => compareWrite(server, state, operation, tally)));
    const next: State[] = [];
    for (const [at, verdict] of verdicts.entries()) {
      const state = states[at] as State;
      if (verdict.status === 'rejected') {
        return { reason: verdict.reason, found: { ...setting, docs: state.docs, indexes: state.indexes, operation } };
      }
      next.push(verdict.value);
    }
    states = next;
  }
  for (const state of states) {
    const failure = await ask(server, random, { ...setting, indexes: state.indexes }, [state], findsAfterWrites, tally);
    if (failure !== undefined) return failure;
  }
  return undefined;
}
