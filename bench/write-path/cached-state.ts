import { compared, rates } from '../figures.js';
import type { Harness } from '../harness.js';
import { inLanes } from '../lanes.js';
import { pairedRatios } from '../rounds.js';
import { type Row, row } from '../rows.js';
import { freshHandler, type ServedLog } from '../shop/served-log.js';
import { reserving } from '../shop/workloads.js';
import { loadThenAppend } from './other-handlers.js';

const lanes = 16;
const cached = 'cached state';
const loaded = 'load, then append';

/** What it saves that a stream is not read before it is written. */
export async function measureCachedState(harness: Harness<'arm-ms'>, { server, eventLog }: ServedLog): Promise<Row[]> {
  const rounds = await compared(harness, 'cached state', [server.pid], {
    [cached]: () => {
      const handler = freshHandler(eventLog);
      return inLanes(lanes, harness.sizes['arm-ms'], () => {
        const next = reserving.lane();
        return () => {
          const { aggregate, id, command, context } = next();
          return handler.handle(aggregate, id, command, context);
        };
      });
    },
    [loaded]: () => {
      const handle = loadThenAppend(eventLog);
      return inLanes(lanes, harness.sizes['arm-ms'], () => {
        const next = reserving.lane();
        return (isOver) => handle(next(), isOver);
      });
    },
  });
  const ratio = pairedRatios(rounds, cached, loaded, ({ perSecond }) => perSecond);
  return [
    row(`${cached} / ${loaded}`, 'x', ratio, { id: 'P2', goal: { atLeast: 5 } }),
    ...rates(rounds, [cached, loaded], `commands, ${lanes} in flight`),
  ];
}
