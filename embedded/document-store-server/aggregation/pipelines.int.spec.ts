import { expect } from 'chai';
import type { Document } from 'mongodb';
import { type Random, seeded } from '../../../test/support/seeded.js';
import { startTestServer, type TestServer } from '../test-server.js';

const seed = 20240506;
const rounds = 24;

function randomValue(random: Random, depth = 2): unknown {
  const kinds = [
    () => random.between(0, 9),
    () => random.pick(['red', 'green', 'blue']),
    () => null,
    () => random.chance(0.5),
  ];
  const nested = [
    () => Array.from({ length: random.between(0, 4) }, () => randomValue(random, depth - 1)),
    () => ({ x: randomValue(random, depth - 1), y: random.between(0, 3) }),
  ];
  return random.pick(depth > 0 ? [...kinds, ...nested] : kinds)();
}

function randomDocument(random: Random, id: number): Document {
  const fields = ['a', 'b', 'list'].filter(() => random.chance(0.8)).map((name) => [name, randomValue(random)]);
  return { _id: id, n: random.between(0, 20), ...Object.fromEntries(fields) };
}

/** A stage whose result has an order of its own, or keeps the one before. */
function randomStage(random: Random): Document[] {
  const field = random.pick(['a', 'b', 'n', 'list']);
  const path = random.pick([`$${field}`, '$a.x', '$list.y']);
  const stages: (() => Document[])[] = [
    () => [{ $match: { [field]: random.pick([{ $gte: random.between(0, 9) }, 'red', null, { $exists: true }]) } }],
    () => [{ $match: { $expr: { $gt: [path, random.between(0, 9)] } } }],
    () => [{ $project: { n: 1, a: 1, v: { $ifNull: [path, 'none'] } } }],
    () => [{ $addFields: { b: { $cond: [{ $isArray: path }, { $size: { $ifNull: [path, []] } }, path] } } }],
    () => [{ $unset: [field] }],
    () => [{ $sort: { [field]: random.pick([1, -1]), _id: 1 } }],
    () => [{ $skip: random.between(0, 5) }],
    () => [{ $limit: random.between(1, 20) }],
    () => [{ $unwind: { path: `$${field}`, preserveNullAndEmptyArrays: random.chance(0.5), includeArrayIndex: 'i' } }],
    () => [
      { $group: { _id: path, n: { $sum: '$n' }, a: { $max: '$a' }, list: { $push: '$_id' } } },
      { $sort: { _id: 1, n: 1 } },
    ],
    () => [
      {
        $bucket: {
          groupBy: '$n',
          boundaries: [0, 5, 10],
          default: 'more',
          output: { n: { $avg: '$n' }, list: { $push: '$b' } },
        },
      },
    ],
    () => [
      {
        $replaceWith: {
          $mergeObjects: [{ _id: '$_id', n: '$n' }, { $cond: [{ $eq: [{ $type: '$a' }, 'object'] }, '$a', {}] }],
        },
      },
    ],
  ];
  return random.pick(stages)();
}

function randomPipeline(random: Random, most: number): Document[] {
  return Array.from({ length: random.between(1, most) }, () => randomStage(random)).flat();
}

describe('random pipelines', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
    const random = seeded(seed, 'documents');
    const collection = server.db.collection<{ _id: number }>('documents');
    await collection.insertMany(Array.from({ length: 300 }, (_, id) => randomDocument(random, id) as { _id: number }));
    await collection.createIndex({ n: 1 });
    await collection.createIndex({ a: 1 });
  });
  after(() => server.stop());

  for (let round = 0; round < rounds; round++) {
    it(`give the same alone, in $facet, in any batches and behind a stage that changes nothing: ${seed}, ${round}`, async () => {
      const random = seeded(seed, round);
      const run = (pipeline: Document[], batchSize = 1000) =>
        server.db.collection('documents').aggregate(pipeline, { batchSize }).toArray();
      // by _id, so that the order does not hang on the plan
      const start = { $sort: { _id: 1 } };
      const first = randomPipeline(random, 2);
      const second = randomPipeline(random, 3);
      const whole = [start, ...first, ...second];
      const expected = await run(whole);
      const shown = JSON.stringify(whole);
      const [facets] = await run([start, ...first, { $facet: { one: second, two: [{ $limit: 1 }], three: second } }]);
      expect(facets?.['one'], shown).to.deep.equal(expected);
      expect(facets?.['three'], shown).to.deep.equal(expected);
      expect(await run(whole, random.between(1, 7)), shown).to.deep.equal(expected);
      expect(await run([{ $match: {} }, { $skip: 0 }, ...whole]), shown).to.deep.equal(expected);
      const kept = [start, ...first, { $addFields: { kept: 1 } }, { $unset: 'kept' }, ...second];
      expect(await run(kept), shown).to.deep.equal(expected);
      const limit = random.between(1, 9);
      const cut = await run([...whole, { $sort: { n: -1, _id: 1 } }, { $limit: limit }]);
      expect(cut, shown).to.deep.equal((await run([...whole, { $sort: { n: -1, _id: 1 } }])).slice(0, limit));
    });
  }
});
