import { compared, rates } from '../figures.js';
import type { Harness } from '../harness.js';
import { inLanes } from '../lanes.js';
import { pairedRatios } from '../rounds.js';
import { type Row, row } from '../rows.js';
import { freshHandler, type ServedLog } from '../shop/served-log.js';
import { reserving } from '../shop/workloads.js';
import { loadThenAppend } from './other-handlers.js';

const lanesAtOnce = [16, 64];
const cached = 'cached state';
const loaded = 'load, then append';

/** What it saves that a stream is not read before it is written. */
export async function measureCachedState(harness: Harness<'arm-ms'>, { server, eventLog }: ServedLog): Promise<Row[]> {
  const ms = harness.sizes['arm-ms'];
  const withCache = (lanes: number) => () => {
    const handler = freshHandler(eventLog);
    return inLanes(lanes, ms, () => {
      const next = reserving.lane();
      return () => {
        const { aggregate, id, command, context } = next();
        return handler.handle(aggregate, id, command, context);
      };
    });
  };
  const withLoad = (lanes: number) => () => {
    const handle = loadThenAppend(eventLog);
    return inLanes(lanes, ms, () => {
      const next = reserving.lane();
      return (isOver) => handle(next(), isOver);
    });
  };
  const arms = lanesAtOnce.flatMap((lanes) => [
    [armOf(cached, lanes), withCache(lanes)] as const,
    [armOf(loaded, lanes), withLoad(lanes)] as const,
  ]);
  const rounds = await compared(harness, 'cached state', [server.pid], Object.fromEntries(arms));
  const ratios = lanesAtOnce.map((lanes) => {
    const samples = pairedRatios(rounds, armOf(cached, lanes), armOf(loaded, lanes), ({ perSecond }) => perSecond);
    return row(`${lanes} in flight, ${cached} / ${loaded}`, 'x', samples, { id: 'P2', goal: { atLeast: 5 } });
  });
  const names = arms.map(([name]) => name);
  return [...ratios, ...rates(rounds, names, 'reserve stock')];
}

const armOf = (way: string, lanes: number) => `${lanes} in flight, ${way}`;
