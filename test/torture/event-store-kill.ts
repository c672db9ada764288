import type { Random } from '../support/seeded.js';
import type { Append } from './event-store-ledger.js';
import { begin, compareWhole, end, type Life, settle } from './event-store-life.js';
import { perform, runWriters } from './event-store-writers.js';
import { startStore, tellEnd } from './server-process.js';
import { demand } from './violation.js';

const writers = 32;

/**
 * Lets 32 writers at a store and kills it at a random moment, then sometimes once or twice more while it starts. What it
 * holds afterwards is compared with what was sent, and some appends of unknown outcome are sent again.
 *
 * @throws Violation
 */
export async function killRound(life: Life, random: Random): Promise<void> {
  const { store, ways } = life.running ?? (await begin(life));
  const { ledger } = life;
  const byCount = random.chance(0.7);
  const enough = ledger.counts.acknowledged + random.between(1, 800);
  let killed = false;
  const kill = () => {
    killed = true;
    for (const watcher of life.watchers) watcher.mayEnd();
    store.child.kill('SIGKILL');
  };
  const timer = byCount ? undefined : setTimeout(kill, random.between(1, 1_000));
  await runWriters({
    ledger,
    ways,
    random,
    writers,
    going: store.isRunning,
    onOutcome: () => {
      if (byCount && ledger.counts.acknowledged >= enough) kill();
    },
  });
  clearTimeout(timer);
  if (!killed && !store.isRunning()) {
    const how = tellEnd(await store.ended);
    demand(false, () => `the store ended by itself with ${how}`);
  }
  await end(life, 'SIGKILL');

  while (random.chance(0.3)) {
    await startStore('event-store', life.dataDir, { killAfterMs: random.between(1, 700) });
  }
  await begin(life);
  await repeat(life, random, await settle(life));
  if (random.chance(0.1)) await compareWhole(life);
}

/** A repeat is answered as the first time where that was stored, and stores nothing twice. */
async function repeat(life: Life, random: Random, unknown: readonly Append[]): Promise<void> {
  const { ledger, running } = life;
  if (running === undefined) return;
  for (const append of unknown) {
    if (!random.chance(0.5)) continue;
    ledger.sendAgain(append);
    await perform(ledger, append, random.chance(0.5) ? running.ways.classic : running.ways.client);
  }
  await settle(life);
}
