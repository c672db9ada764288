import { emmettHandler } from './emmett/emmett-handler.js';
import { compared, rates } from './figures.js';
import type { Question } from './harness.js';
import { inLanes } from './lanes.js';
import { canMeter } from './meter.js';
import { pairedRatios } from './rounds.js';
import { row } from './rows.js';
import { type Asking, receiveStock, reserveStock } from './shop/asking.js';
import { freshHandler, openServedLog } from './shop/served-log.js';
import { goodsOf, reserving } from './shop/workloads.js';

const lanesAtOnce = [16, 64];
const goals = { 'a stream each': { atLeast: 4.5 }, 'one stream': { atLeast: 150 } };
type Spread = keyof typeof goals;
type Handle = (asked: Asking, isOver: () => boolean) => Promise<unknown>;

/** So many callers at once, each with streams of its own or all with the same. */
async function reserveFor(ms: number, lanes: number, spread: Spread, handle: Handle): Promise<number> {
  if (spread === 'a stream each') {
    return inLanes(lanes, ms, () => {
      const next = reserving.lane();
      return (isOver) => handle(next(), isOver);
    });
  }
  const goods = goodsOf();
  await handle(receiveStock(goods, 1_000_000), () => false);
  return 1 + (await inLanes(lanes, ms, () => (isOver) => handle(reserveStock(goods), isOver)));
}

export const emmett: Question<'arm-ms'> = {
  name: 'emmett',
  about: "the shop's command handler beside that of emmett, with the same deciders on the same server",
  sizes: {
    'arm-ms': { default: 1_000, about: 'milliseconds that an arm writes in each round' },
  },
  async run(harness) {
    if (!canMeter) throw new Error("The server's CPU is read from /proc, which only Linux has.");
    const { server, connectionString, eventLog } = await openServedLog(harness, await harness.folder());
    const other = emmettHandler(connectionString);
    harness.atEnd(() => other.close());
    const own = (): Handle => {
      const handler = freshHandler(eventLog);
      return ({ aggregate, id, command, context }) => handler.handle(aggregate, id, command, context);
    };
    await other.handle(receiveStock(goodsOf(), 1), () => false);
    const settings = lanesAtOnce.flatMap((lanes) =>
      (Object.keys(goals) as Spread[]).map((spread) => ({ lanes, spread, name: `${lanes} in flight, ${spread}` })),
    );
    const arms = settings.flatMap(({ lanes, spread, name }) => {
      const arm = (handle: () => Handle) => () => reserveFor(harness.sizes['arm-ms'], lanes, spread, handle());
      return [[`${name}: shopledger`, arm(own)] as const, [`${name}: emmett`, arm(() => other.handle)] as const];
    });
    const rounds = await compared(harness, 'reservations', [server.pid], Object.fromEntries(arms));
    const ratios = settings.map(({ spread, name }) => {
      const samples = pairedRatios(rounds, `${name}: shopledger`, `${name}: emmett`, ({ perSecond }) => perSecond);
      return row(`${name}, shopledger / emmett`, 'x', samples, { id: 'P17', goal: goals[spread] });
    });
    const names = arms.map(([name]) => name);
    return [...ratios, ...rates(rounds, names, 'reservations')];
  },
};
