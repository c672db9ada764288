import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../support/seeded.js';

/** Something that can be killed and comes back by itself. */
export interface Victim {
  readonly name: string;
  /** Whether it runs and is ready. */
  isUp(): boolean;
  /** `kill -9`. @returns whether there was anything to kill */
  kill(): boolean;
}

/** Every victim so many times, in an order that the seed decides. */
export function killOrder(random: Random, names: readonly string[], times: number): string[] {
  const order = names.flatMap((name) => Array.from({ length: times }, () => name));
  for (let last = order.length - 1; last > 0; last -= 1) {
    const at = random.between(0, last);
    const [one = '', other = ''] = [order[last], order[at]];
    order[last] = other;
    order[at] = one;
  }
  return order;
}

export interface KillOptions {
  readonly random: Random;
  readonly victims: ReadonlyMap<string, Victim>;
  readonly order: readonly string[];
  /** Milliseconds between one kill and the next. */
  readonly pauseMs: { readonly least: number; readonly most: number };
  /** Whether what the kills are for still goes on. */
  readonly goesOn: () => boolean;
  readonly onKill?: (name: string) => void;
}

const lookAgainMs = 20;

/**
 * Kills one after the other, each once it is up. Most often everything is waited for before, so that the system gets on;
 * at times it is not, so that several are down together.
 *
 * @returns the kills that were not made, because what they are for had ended
 */
export async function killAll(options: KillOptions): Promise<readonly string[]> {
  const { random, victims, order, pauseMs, goesOn, onKill = () => {} } = options;
  const rest = [...order];
  while (rest.length > 0) {
    const alone = random.chance(0.7);
    await sleep(random.between(pauseMs.least, pauseMs.most));
    const victim = victims.get(rest[0] ?? '');
    if (victim === undefined) throw new Error(`there is no ${rest[0]} to kill`);
    const isReady = () => (alone ? [...victims.values()].every((one) => one.isUp()) : victim.isUp());
    while (goesOn() && !isReady()) await sleep(lookAgainMs);
    if (!goesOn()) return rest;
    if (!victim.kill()) continue;
    rest.shift();
    onKill(victim.name);
  }
  return [];
}
