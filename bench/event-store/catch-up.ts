import type { Harness } from '../harness.js';
import { metered, type Sample } from '../meter.js';
import { interleave, pairedRatios } from '../rounds.js';
import { type Row, row } from '../rows.js';
import type { Log } from './data.js';
import { catchUp, openStore, type Store } from './store.js';

/**
 * Events a second that a subscription to `$all` gets behind. In the small log a round reads the whole of it, in the
 * large one as many events from another place each time, so that the rounds see all parts of it.
 */
export async function measureCatchUp(harness: Harness, large: Log, small: Log): Promise<Row[]> {
  const ofLarge = await openStore(harness, large.dataDir);
  const ofSmall = await openStore(harness, small.dataDir);
  const follow = ({ server, client }: Store, from: number): Promise<Sample> =>
    metered(server.pid, () => catchUp(client, small.events, from));
  const places = Math.max(1, Math.floor(large.events / small.events));
  const rounds = await interleave(
    {
      large: (round) => follow(ofLarge, ((round - 1) % places) * small.events),
      small: () => follow(ofSmall, 0),
    },
    {
      rounds: harness.rounds,
      onArm: (arm, round, of) => harness.progress(`catch-up, round ${round} of ${of}: ${arm} log`),
    },
  );
  await ofLarge.close();
  await ofSmall.close();

  const share = rounds.flatMap(({ large: a, small: b }) => [a, b]).map(({ cpu }) => cpu.server / cpu.client);
  const figure = ({ events }: Log, samples: Sample[]) =>
    row(
      `events caught up with, log of ${events}`,
      '1/s',
      samples.map(({ perSecond }) => perSecond),
      { cpu: samples.map(({ cpu }) => cpu) },
    );
  const ratio = pairedRatios(rounds, 'large', 'small', ({ perSecond }) => perSecond);
  return [
    row('CPU of a caught-up event, server / client', 'x', share, { goal: { atMost: 0.5 } }),
    row(`catch-up rate, ${large.events} events / ${small.events}`, 'x', ratio),
    figure(
      large,
      rounds.map((round) => round.large),
    ),
    figure(
      small,
      rounds.map((round) => round.small),
    ),
  ];
}
