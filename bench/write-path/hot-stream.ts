import { compared, rates } from '../figures.js';
import type { Harness } from '../harness.js';
import { inLanes } from '../lanes.js';
import { pairedRatios } from '../rounds.js';
import { type Row, row } from '../rows.js';
import { type Asking, receiveStock, reserveStock } from '../shop/asking.js';
import { freshHandler, type ServedLog } from '../shop/served-log.js';
import { goodsOf, reserving } from '../shop/workloads.js';
import { tailReading } from './other-handlers.js';

const callers = 64;
const hot = 'one stream, mailbox and group commit';
const tail = 'one stream, tail read and retry';
const distinct = 'a stream each';

/** Sixty-four callers who want the same thing. */
export async function measureHotStream(harness: Harness<'arm-ms'>, { server, eventLog }: ServedLog): Promise<Row[]> {
  const ms = harness.sizes['arm-ms'];
  const handling = () => {
    const handler = freshHandler(eventLog);
    return ({ aggregate, id, command, context }: Asking) => handler.handle(aggregate, id, command, context);
  };
  const onOneStream = async (handle: (asked: Asking, isOver: () => boolean) => Promise<unknown>) => {
    const goods = goodsOf();
    await handle(receiveStock(goods, 1_000_000), () => false);
    return 1 + (await inLanes(callers, ms, () => (isOver) => handle(reserveStock(goods), isOver)));
  };
  const rounds = await compared(harness, 'hot stream', [server.pid], {
    [hot]: () => onOneStream(handling()),
    [tail]: () => onOneStream(tailReading(eventLog)),
    [distinct]: () => {
      const handle = handling();
      return inLanes(callers, ms, () => {
        const next = reserving.lane();
        return () => handle(next());
      });
    },
  });
  const over = (under: string) => pairedRatios(rounds, hot, under, ({ perSecond }) => perSecond);
  return [
    row(`${callers} callers, ${hot} / ${tail}`, 'x', over(tail), { id: 'P3', goal: { atLeast: 50 } }),
    row(`${callers} callers, ${hot} / ${distinct}`, 'x', over(distinct), { id: 'P4', goal: { atLeast: 2 } }),
    ...rates(rounds, [hot, tail, distinct], `commands of ${callers} callers`),
  ];
}
