import type { EventLog } from '../runtime/event-store/event-log.js';
import { inParallel } from '../runtime/in-parallel.js';
import type { StockedProduct } from '../test/support/catalogue.js';
import { type Random, seeded } from '../test/support/seeded.js';
import { rates, samplesOf } from './figures.js';
import type { Question } from './harness.js';
import { canMeter, cpuOf, metered, type Sample } from './meter.js';
import { type ProcessName, processes, type RunningShop, startRunningShop } from './orders/running-shop.js';
import { interleave, pairedRatios, type Round } from './rounds.js';
import { type Row, row } from './rows.js';
import { receiveStock } from './shop/asking.js';
import { createRecorder, type Recorder, recordOrder, type Step } from './shop/recorded-orders.js';
import { goodsOf } from './shop/workloads.js';

const whole = 'whole orders';
const bare = 'their appends alone';
const products = 100;

/** What an arm did and cost, all of it an order. */
interface OrdersSample extends Sample {
  /** CPU microseconds */
  readonly processes: Readonly<Record<ProcessName, number>>;
  readonly appends: number;
  readonly events: number;
  readonly reads: number;
}

export const orders: Question<'orders' | 'in-flight'> = {
  name: 'orders',
  about: 'orders from POST at the gateway to their end, beside a script that makes the same appends',
  sizes: {
    orders: { default: 300, about: 'orders in each arm and round' },
    'in-flight': { default: 32, about: 'orders under way at the same time' },
  },
  async run(harness) {
    if (!canMeter) throw new Error("The servers' CPU is read from /proc, which only Linux has.");
    const { orders: count, 'in-flight': inFlight } = harness.sizes;
    const shop = await startRunningShop(harness, products);
    const random = seeded('orders', harness.seed);
    const recorder = await stockedRecorder(shop.goods);
    let number = 0;
    const rounds = await interleave<string, OrdersSample>(
      {
        [whole]: () => {
          const wanted = Array.from({ length: count }, () => pair(random, shop.goods));
          return sampled(shop, count, () => inParallel(wanted, inFlight, (two) => shop.order(two)));
        },
        [bare]: async () => {
          const recorded: Step[][] = [];
          for (let i = 0; i < count; i += 1) {
            number += 1;
            recorded.push(await record(recorder, pair(random, shop.goods), random.uuid(), number));
          }
          return sampled(shop, count, () => inParallel(recorded, inFlight, (steps) => append(shop.eventLog, steps)));
        },
      },
      {
        rounds: harness.rounds,
        onArm: (arm, round, of) => harness.progress(`${count} orders, round ${round} of ${of}: ${arm}`),
      },
    );
    return rowsOf(rounds);
  },
};

function pair(random: Random, goods: readonly StockedProduct[]): StockedProduct[] {
  const first = random.pick(goods);
  const others = goods.filter((one) => one !== first);
  return [first, random.pick(others)];
}

async function stockedRecorder(goods: readonly StockedProduct[]): Promise<Recorder> {
  const recorder = createRecorder();
  for (const one of goods) {
    const { aggregate, id, command, context } = receiveStock({ ...goodsOf(), ...one }, 1_000_000);
    await recorder.commands.handle(aggregate, id, command, context);
  }
  recorder.take();
  return recorder;
}

/** What one order of these comes to. */
async function record(recorder: Recorder, two: readonly StockedProduct[], userId: string, number: number) {
  await recordOrder(recorder, { goods: two.map((one) => ({ ...goodsOf(), ...one })), userId, number });
  return recorder.take();
}

let appended = 0;

/** Makes an order's appends, each step when the one before is done, to streams that no process manager follows. */
async function append(eventLog: EventLog, steps: readonly Step[]): Promise<void> {
  appended += 1;
  const order = `bare${process.pid}_${appended}`;
  const revisions = new Map<string, bigint>();
  for (const step of steps) {
    await Promise.all(
      step.map(async ({ stream, events }) => {
        const last = revisions.get(stream);
        const { revision } = await eventLog.append(`${order}-${stream}`, events, last ?? 'no-stream');
        revisions.set(stream, revision);
      }),
    );
  }
}

/** Measures an arm from a quiet start: nothing of the one before is left to be projected. */
async function sampled(shop: RunningShop, count: number, work: () => Promise<unknown>): Promise<OrdersSample> {
  await shop.settled();
  const used = () => Promise.all(processes.map((name) => cpuOf(shop.pids[name])));
  const [counted, before] = [await shop.counted(), await used()];
  const sample = await metered(Object.values(shop.pids), async () => {
    await work();
    return count;
  });
  // What the read models have still to do is part of what an order costs.
  await shop.settled();
  const [after, then] = [await used(), await shop.counted()];
  const shares = processes.map((name, i) => [name, ((after[i] ?? 0) - (before[i] ?? 0)) / count]);
  return {
    ...sample,
    processes: Object.fromEntries(shares) as Record<ProcessName, number>,
    appends: (then.appends - counted.appends) / count,
    events: (then.events - counted.events) / count,
    reads: (then.reads - counted.reads) / count,
  };
}

function rowsOf(rounds: readonly Round<string, OrdersSample>[]): Row[] {
  const ratio = pairedRatios(rounds, whole, bare, ({ perSecond }) => perSecond);
  const arms = [whole, bare];
  const counts = (['appends', 'events', 'reads'] as const).flatMap((what) =>
    arms.map((arm) =>
      row(
        `${what} an order, ${arm}`,
        'count',
        samplesOf(rounds, arm).map((sample) => sample[what]),
      ),
    ),
  );
  const shares = processes.flatMap((name) =>
    arms.map((arm) =>
      row(
        `CPU of an order, ${name}, ${arm}`,
        'us',
        samplesOf(rounds, arm).map((sample) => sample.processes[name]),
      ),
    ),
  );
  return [
    row(`${whole} / ${bare}`, 'x', ratio, { id: 'P12', goal: { atLeast: 0.35 } }),
    ...rates(rounds, arms, 'orders'),
    ...counts,
    ...shares,
  ];
}
