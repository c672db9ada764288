import { seeded } from '../../test/support/seeded.js';
import { figure } from '../figures.js';
import type { Harness } from '../harness.js';
import type { Sample } from '../meter.js';
import { interleave, pairedRatios } from '../rounds.js';
import { type Row, row } from '../rows.js';
import { fsyncLoop, openBareLmdb } from './bare-lmdb.js';
import { product } from './data.js';
import type { Store } from './store.js';
import { type Timed, timedFor } from './timed.js';

const inFlight = [1, 8, 32];
const bareValues = 1_000;

/** Durable updates of one document, so many in flight, beside what the disk and LMDB alone give. */
export async function measureSingleWrites(harness: Harness<'arm-ms'>, store: Store): Promise<Row[]> {
  const { server, products, documents } = store;
  const ms = harness.sizes['arm-ms'];
  const random = seeded(harness.seed, 'single writes');
  const once = async () => {
    const { _id } = product(harness.seed, random.between(0, documents - 1), documents);
    const { modifiedCount } = await products.updateOne({ _id }, { $inc: { stock: 1 } });
    if (modifiedCount !== 1) throw new Error(`The update of ${_id} changed ${modifiedCount} documents.`);
  };
  const armOf = (lanes: number) => `durable single writes, ${lanes} in flight`;
  const alone = 'LMDB alone, durable commits of one value';
  const syncs = 'fsync of 4 KiB alone';
  const bare = await openBareLmdb(harness, bareValues);
  const fsync = await fsyncLoop(harness);
  const timed = (sample: Sample): Timed => {
    const each = 1_000 / sample.perSecond;
    return { ...sample, p50: each, p95: each };
  };
  const rounds = await interleave<string, Timed>(
    {
      ...Object.fromEntries(inFlight.map((lanes) => [armOf(lanes), () => timedFor(server.pid, ms, once, lanes)])),
      [alone]: async () => timed(bare.single(ms)),
      [syncs]: async () => timed(fsync(ms)),
    },
    {
      rounds: harness.rounds,
      onArm: (arm, round, of) => harness.progress(`single writes, round ${round} of ${of}: ${arm}`),
    },
  );
  const perSecond = (sample: Timed) => sample.perSecond;
  return [
    ...inFlight.flatMap((lanes) => [
      figure(rounds, armOf(lanes), '1/s', perSecond),
      figure(rounds, armOf(lanes), 'ms', ({ p50 }) => p50, { measure: `${armOf(lanes)}, p50` }),
      figure(rounds, armOf(lanes), 'ms', ({ p95 }) => p95, { measure: `${armOf(lanes)}, p95` }),
    ]),
    figure(rounds, alone, '1/s', perSecond),
    figure(rounds, syncs, '1/s', perSecond),
    row(`${armOf(1)} / LMDB alone`, 'x', pairedRatios(rounds, armOf(1), alone, perSecond)),
  ];
}
