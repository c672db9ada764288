import type { AnyBulkWriteOperation } from 'mongodb';
import { seeded } from '../../test/support/seeded.js';
import { figure } from '../figures.js';
import type { Harness } from '../harness.js';
import { metered, type Sample } from '../meter.js';
import { interleave, pairedRatios } from '../rounds.js';
import { type Row, row } from '../rows.js';
import { openBareLmdb } from './bare-lmdb.js';
import { dearest, type Product, product } from './data.js';
import { batchSize, type Store } from './store.js';
import { armOfSize, growthRows, type Stores } from './timed.js';

type Upsert = AnyBulkWriteOperation<Product>;
type Numbers = readonly number[];

/** A way to write a thousand documents at once, made ready for those with these numbers and then sent. */
interface Bulk {
  readonly name: string;
  /** of documents that are not there yet; they are removed after the arm */
  readonly isNew: boolean;
  readonly prepare: (store: Store, like: readonly Product[]) => () => Promise<number>;
}

const goal = { atLeast: 15_000 };

/** An upsert that makes the whole product where there is none. */
function whole({ _id, stock, rating, ...rest }: Product): Upsert {
  const update = { $set: { ...rest, 'rating.average': rating.average }, $inc: { stock, 'rating.count': rating.count } };
  return { updateOne: { filter: { _id }, update, upsert: true } };
}

/** Upserts of documents in one bulk; answers how many it inserted or changed. */
const upserts = (of: (like: Product) => Upsert): Bulk['prepare'] => {
  return ({ products }, like) => {
    const operations = like.map(of);
    return async () => {
      const { upsertedCount, modifiedCount } = await products.bulkWrite(operations, { ordered: false });
      return upsertedCount + modifiedCount;
    };
  };
};

const inserting = 'upserts that insert';
const modifying = 'upserts that modify';

const bulks: readonly Bulk[] = [
  {
    name: 'insertMany',
    isNew: true,
    prepare:
      ({ products }, like) =>
      async () =>
        (await products.insertMany([...like])).insertedCount,
  },
  { name: inserting, isNew: true, prepare: upserts(whole) },
  {
    name: modifying,
    isNew: false,
    prepare: upserts(({ _id, title }) => {
      const update = { $set: { title: `${title}.` }, $inc: { stock: 1, 'rating.count': 1 } };
      return { updateOne: { filter: { _id }, update, upsert: true } };
    }),
  },
  {
    name: 'upserts that change a price',
    isNew: false,
    prepare: upserts(({ _id, price }) => {
      const update = { $set: { price: (price * 7 + 1) % dearest }, $inc: { stock: 1 } };
      return { updateOne: { filter: { _id }, update, upsert: true } };
    }),
  },
];

/** Documents a second in bulks of a thousand, one after the other, over the three sizes, and LMDB alone beside them. */
export async function measureBulks(harness: Harness<'bulks'>, stores: Stores): Promise<Row[]> {
  const [, medium] = stores;
  const { seed, sizes } = harness;
  const random = seeded(seed, 'bulks');
  const numbersFor = ({ isNew }: Bulk, { documents }: Store): Numbers => {
    const first = isNew ? documents : random.between(0, documents - 1);
    return Array.from({ length: batchSize }, (_, at) => at).map((at) =>
      isNew ? first + at : (first + at * 7_919) % documents,
    );
  };
  const run = async (bulk: Bulk, store: Store): Promise<Sample> => {
    const all = Array.from({ length: sizes.bulks }, (_, at) => {
      const numbers = numbersFor(bulk, store).map((n) => (bulk.isNew ? n + at * batchSize : n));
      return numbers.map((n) => product(seed, n, store.documents));
    });
    const ready = all.map((like) => bulk.prepare(store, like));
    const sample = await metered(store.server.pid, async () => {
      let done = 0;
      for (const send of ready) done += await send();
      return done;
    });
    if (bulk.isNew) {
      for (const like of all) await store.products.deleteMany({ _id: { $in: like.map(({ _id }) => _id) } });
    }
    return sample;
  };

  harness.progress(`filling LMDB alone with ${medium.documents} values`);
  const bare = await openBareLmdb(harness, medium.documents);
  const bareInserting = `LMDB alone, as ${inserting}`;
  const bareModifying = `LMDB alone, as ${modifying}`;
  const arms = bulks.flatMap((bulk) =>
    stores.map((store) => [armOfSize(bulk.name, store), () => run(bulk, store)] as const),
  );
  const rounds = await interleave<string, Sample>(
    {
      ...Object.fromEntries(arms),
      [bareInserting]: async () => bare.insert(sizes.bulks),
      [bareModifying]: async () => bare.modify(sizes.bulks),
    },
    {
      rounds: harness.rounds,
      onArm: (arm, round, of) => harness.progress(`bulks, round ${round} of ${of}: ${arm}`),
    },
  );
  const perSecond = (sample: Sample) => sample.perSecond;
  const share = (name: string, alone: string) =>
    row(
      `${armOfSize(name, medium)} / LMDB alone`,
      'x',
      pairedRatios(rounds, armOfSize(name, medium), alone, perSecond),
    );
  const rowsOf = ({ name }: Bulk) => [
    ...stores.map((store) => {
      const isGoal = store === medium && (name === inserting || name === modifying);
      return figure(rounds, armOfSize(name, store), '1/s', perSecond, isGoal ? { goal } : {});
    }),
    ...growthRows(rounds, name, stores, {
      measure: `${name}, time of a document`,
      of: (sample) => 1 / perSecond(sample),
    }),
  ];
  return [
    ...bulks.flatMap(rowsOf),
    figure(rounds, bareInserting, '1/s', perSecond),
    figure(rounds, bareModifying, '1/s', perSecond),
    share(inserting, bareInserting),
    share(modifying, bareModifying),
  ];
}
