import type { Harness } from '../harness.js';
import { cpuOf } from '../meter.js';
import { interleave, pairedRatios } from '../rounds.js';
import { type CpuCost, type Row, row } from '../rows.js';
import type { Log } from './data.js';
import { openStore } from './store.js';

interface Start {
  readonly ms: number;
  readonly cpu: CpuCost;
}

/** From the start of the process to the first acknowledged append, with a large log and with a tiny one. */
export async function measureStart(harness: Harness, large: Log, tiny: Log): Promise<Row[]> {
  const rounds = await interleave(
    { large: () => start(harness, large), tiny: () => start(harness, tiny) },
    {
      rounds: harness.rounds,
      onArm: (arm, round, of) => harness.progress(`starts, round ${round} of ${of}: ${arm} log`),
    },
  );
  const ratio = pairedRatios(rounds, 'large', 'tiny', ({ ms }) => ms);
  const figure = (log: Log, starts: Start[]) =>
    row(
      `start to first acknowledged append, ${log.events} events`,
      'ms',
      starts.map(({ ms }) => ms),
      { cpu: starts.map(({ cpu }) => cpu) },
    );
  return [
    row(`start, ${large.events} events / ${tiny.events}`, 'x', ratio, { id: 'P15', goal: { atMost: 1.2 } }),
    figure(
      large,
      rounds.map((round) => round.large),
    ),
    figure(
      tiny,
      rounds.map((round) => round.tiny),
    ),
  ];
}

async function start(harness: Harness, { dataDir }: Log): Promise<Start> {
  const before = process.cpuUsage();
  const started = performance.now();
  const { server, close } = await openStore(harness, dataDir);
  const ms = performance.now() - started;
  const client = process.cpuUsage(before);
  const cpu = { client: client.user + client.system, server: await cpuOf(server.pid) };
  await close();
  return { ms, cpu };
}
