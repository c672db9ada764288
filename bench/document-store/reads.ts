import type { Collection, Filter } from 'mongodb';
import { seeded } from '../../test/support/seeded.js';
import { figure } from '../figures.js';
import type { Harness } from '../harness.js';
import { interleave } from '../rounds.js';
import type { Row } from '../rows.js';
import { categories, dearest, type Product, perBrand, perShop, product, searchFor } from './data.js';
import type { Store } from './store.js';
import { armOfSize, growthRows, type Stores, type Timed, timedFor } from './timed.js';

/** A question to the collection; `like` is a product that it has. Answers how many were found. */
interface Read {
  readonly name: string;
  /** an answer with another number of documents is a fault, not a figure */
  readonly finds: (found: number) => boolean;
  readonly ask: (store: Store, like: Product) => Promise<number>;
}

const pageSize = 20;
const priceRange = dearest / 4;
const goal = { atMost: 1.3 };

const count = async (documents: Promise<readonly unknown[]>): Promise<number> => (await documents).length;

/** Answered through an index; what is found is as much in a large collection as in a small one. */
const indexed: readonly Read[] = [
  {
    name: 'find by _id',
    finds: (found) => found === 1,
    ask: ({ products }, { _id }) => count(products.find({ _id }).limit(1).toArray()),
  },
  {
    name: `equality, ${perShop} found`,
    finds: (found) => found > 0,
    ask: ({ products }, { shop }) => count(products.find({ shop }).toArray()),
  },
  {
    name: `equality + range + sort + limit ${pageSize}`,
    finds: (found) => found > 0,
    ask: ({ products }, { category, price }) =>
      count(
        products
          .find({ category, price: { $gte: price, $lt: price + priceRange } })
          .sort({ price: 1 })
          .limit(pageSize)
          .toArray(),
      ),
  },
  {
    name: `$all of a common word and a brand + prefix, limit ${pageSize}`,
    finds: (found) => found > 0,
    ask: ({ products }, like) => {
      const { brand, common, prefix } = searchFor(like);
      const words = { $and: [{ terms: { $all: [common, brand] } }, { terms: { $regex: `^${prefix}` } }] };
      return count(products.find(words).limit(pageSize).toArray());
    },
  },
  {
    name: `$all of a common word + prefix, limit ${pageSize}`,
    finds: (found) => found > 0,
    ask: ({ products }, like) => {
      const { common, prefix } = searchFor(like);
      const words = { $and: [{ terms: { $all: [common] } }, { terms: { $regex: `^${prefix}` } }] };
      return count(products.find(words).limit(pageSize).toArray());
    },
  },
  {
    name: `facets of a brand's ${perBrand}`,
    finds: (found) => found > 0,
    ask: ({ products }, like) => facetsOf(products, { terms: searchFor(like).brand }),
  },
];

/** What they look at grows with the collection. */
const whole: readonly Read[] = [
  {
    name: 'facets of a hundredth',
    finds: () => true,
    ask: ({ products }, { category }) => {
      const price = { $gte: 0, $lt: (dearest * categories) / 100 };
      return facetsOf(products, { category, price });
    },
  },
  {
    name: 'scan, no index',
    finds: () => true,
    ask: ({ products }, { stock }) => count(products.find({ stock, 'rating.average': { $gt: 4.5 } }).toArray()),
  },
  {
    name: 'group by category, all documents',
    finds: (found) => found > 0,
    ask: ({ products }) => {
      const group = { _id: '$category', stock: { $sum: '$stock' }, dearest: { $max: '$price' } };
      return count(products.aggregate([{ $group: group }]).toArray());
    },
  },
];

/** Counts by category, price and rating. @returns of how many products they are */
async function facetsOf(products: Collection<Product>, match: Filter<Product>): Promise<number> {
  const [answer] = await products
    .aggregate<{ total: { products: number }[] }>([
      { $match: match },
      {
        $facet: {
          categories: [{ $sortByCount: '$category' }],
          prices: [{ $bucket: { groupBy: '$price', boundaries: [0, 1_000, 10_000, 50_000, dearest] } }],
          ratings: [{ $group: { _id: null, best: { $max: '$rating.average' }, worst: { $min: '$rating.average' } } }],
          total: [{ $count: 'products' }],
        },
      },
    ])
    .toArray();
  return answer?.total[0]?.products ?? 0;
}

/** Milliseconds that reads take one client that asks one after the other, over the three sizes. */
export async function measureReads(harness: Harness<'arm-ms'>, stores: Stores): Promise<Row[]> {
  const random = seeded(harness.seed, 'reads');
  const arms = [...indexed, ...whole].flatMap((read) =>
    stores.map((store) => {
      const once = async () => {
        const like = product(harness.seed, random.between(0, store.documents - 1), store.documents);
        const found = await read.ask(store, like);
        if (!read.finds(found)) throw new Error(`${read.name} found ${found} like ${like._id}.`);
      };
      return [armOfSize(read.name, store), () => timedFor(store.server.pid, harness.sizes['arm-ms'], once)] as const;
    }),
  );
  const rounds = await interleave<string, Timed>(Object.fromEntries(arms), {
    rounds: harness.rounds,
    onArm: (arm, round, of) => harness.progress(`reads, round ${round} of ${of}: ${arm}`),
  });
  const p50 = ({ p50 }: Timed) => p50;
  const rows = (read: Read, isIndexed: boolean) => [
    ...growthRows(rounds, read.name, stores, { of: p50, ...(isIndexed ? { goal } : {}) }),
    ...stores.flatMap((store) => {
      const arm = armOfSize(read.name, store);
      return [
        figure(rounds, arm, 'ms', p50, { measure: `${arm}, p50` }),
        figure(rounds, arm, 'ms', ({ p95 }) => p95, { measure: `${arm}, p95` }),
      ];
    }),
  ];
  return [...indexed.flatMap((read) => rows(read, true)), ...whole.flatMap((read) => rows(read, false))];
}
