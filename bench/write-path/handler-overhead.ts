import { jsonEvent, NO_STREAM } from '@eventstore/db-client';
import { compared, rates } from '../figures.js';
import type { Harness } from '../harness.js';
import { inLanes, type Repeated } from '../lanes.js';
import { pairedRatios } from '../rounds.js';
import { type Row, row } from '../rows.js';
import { freshHandler, type ServedLog } from '../shop/served-log.js';
import { bareLane, placing, reserving, type Workload } from '../shop/workloads.js';

const lanesAtOnce = [16, 64];
const own = 'bare appends of our own';
const official = "the client's appendToStream";

/** The whole command handler (validation, decision, hashes, cache) against appends of the same bytes, ready made. */
export async function measureOverhead(harness: Harness<'arm-ms'>, served: ServedLog): Promise<Row[]> {
  const rows: Row[] = [];
  for (const workload of [reserving, placing]) rows.push(...(await overheadOf(harness, served, workload)));
  return rows;
}

async function overheadOf(
  harness: Harness<'arm-ms'>,
  { server, eventLog }: ServedLog,
  workload: Workload,
): Promise<Row[]> {
  const handled = () => {
    const handler = freshHandler(eventLog);
    return (): Repeated => {
      const next = workload.lane();
      return () => {
        const { aggregate, id, command, context } = next();
        return handler.handle(aggregate, id, command, context);
      };
    };
  };
  const ownBare = () => (): Repeated => {
    const next = bareLane(workload);
    return () => {
      const { stream, events, expected } = next();
      return eventLog.append(stream, events, expected);
    };
  };
  const officialBare = () => (): Repeated => {
    const next = bareLane(workload);
    return () => {
      const { stream, events, expected } = next();
      const expectedRevision = expected === 'no-stream' ? NO_STREAM : expected;
      const made = events.map(({ id, type, data, metadata }) => jsonEvent({ id, type, data: { ...data }, metadata }));
      return eventLog.client().appendToStream(stream, made, { expectedRevision });
    };
  };
  const ways = { 'command handler': handled, [own]: ownBare, [official]: officialBare };
  const arms = lanesAtOnce.flatMap((lanes) =>
    Object.entries(ways).map(([way, make]) => {
      const arm = () => inLanes(lanes, harness.sizes['arm-ms'], make());
      return [armOf(way, lanes), arm] as const;
    }),
  );
  const rounds = await compared(harness, workload.name, [server.pid], Object.fromEntries(arms));
  const ratios = lanesAtOnce.flatMap((lanes) =>
    [own, official].map((bare) => {
      const samples = pairedRatios(
        rounds,
        armOf('command handler', lanes),
        armOf(bare, lanes),
        ({ perSecond }) => perSecond,
      );
      const measure = `${workload.name}, ${lanes} in flight, command handler / ${bare}`;
      return row(measure, 'x', samples, { id: 'P1', goal: { atLeast: 0.9 } });
    }),
  );
  return [
    ...ratios,
    ...rates(
      rounds,
      arms.map(([name]) => name),
      workload.name,
    ),
  ];
}

const armOf = (way: string, lanes: number) => `${lanes} in flight, ${way}`;
