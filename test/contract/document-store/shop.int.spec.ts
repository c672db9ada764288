import { expect } from 'chai';
import type { Collection, Db } from 'mongodb';
import { type OrderDocument, ordersModel } from '../../../projections/orders/document.js';
import { type ProductDocument, productSearchModel } from '../../../projections/product-search/document.js';
import { orderQueries } from '../../../read-api/orders/order-queries.js';
import type { PageEnd } from '../../../read-api/paging.js';
import { cursorAt, type ProductCursor } from '../../../read-api/product-search/product-cursor.js';
import { productQueries } from '../../../read-api/product-search/product-queries.js';
import { openCheckpoints } from '../../../runtime/document-store/checkpoints.js';
import { positionedDocuments } from '../../../runtime/document-store/positioned.js';
import { ensureIndexes, readModelId } from '../../../runtime/document-store/read-model.js';
import { describeTargets } from './document-store-targets.js';

const statuses = ['pending', 'paid', 'shipped', 'cancelled'] as const;
const users = ['u0', 'u1', 'u2', null] as const;

// several orders are placed at the same moment
const orders = Array.from({ length: 120 }, (_, n) => ({
  _id: `order-${String(n * 7919).padStart(7, '0')}`,
  position: BigInt(n),
  user_id: users[n % 4] as string | null,
  status: statuses[n % 3] ?? 'pending',
  placed_at: new Date(Date.UTC(2026, 0, 1, 0, Math.floor(n / 5))).toISOString(),
  total: n,
  items: [{ line: 1 }],
  timeline: [],
  timeline_omitted: 0,
  personal: null,
})) as unknown as OrderDocument[];

const vocabulary = ['mug', 'mugs', 'blue', 'black', 'cafe', 'kitchen', 'steel', 'stee', 'a+b'];
const products = Array.from({ length: 90 }, (_, n) => ({
  _id: `product-${String((n * 31) % 90).padStart(3, '0')}`,
  position: BigInt(n),
  status: n % 7 === 0 ? 'pending' : 'approved',
  category: n % 2 === 0 ? 'Kitchen' : 'Tools',
  terms: vocabulary.filter((_word, at) => (n >> (at % 5)) % 2 === 0 || at === n % vocabulary.length),
  created_at: new Date(Date.UTC(2026, 0, 1, 0, Math.floor(n / 3))).toISOString(),
})) as unknown as ProductDocument[];

/** Newest first, and at the same moment by the greater id. */
const newestFirst =
  <T extends { _id: string }>(time: (document: T) => string) =>
  (x: T, y: T) =>
    time(x) === time(y) ? (x._id < y._id ? 1 : -1) : time(x) < time(y) ? 1 : -1;

describeTargets('what the shop asks', (target) => {
  let db: Db;
  before(async () => {
    const { databaseName } = target().database('read-models');
    db = target().connect({ useBigInt64: true }).db(databaseName);
    for (const model of [ordersModel, productSearchModel]) {
      await ensureIndexes(db, model);
      await ensureIndexes(db, model);
    }
    await positionedDocuments(db, readModelId(ordersModel)).replace(orders);
    await positionedDocuments(db, readModelId(productSearchModel)).replace(products);
  });

  for (const userId of [...users.slice(0, 3), undefined] as (string | undefined)[]) {
    for (const status of [undefined, 'paid'] as const) {
      it(`the orders of ${userId ?? 'everybody'}${status === undefined ? '' : `, ${status}`}, page by page`, async () => {
        const expected = orders
          .filter((order) => userId === undefined || order.user_id === userId)
          .filter((order) => status === undefined || order.status === status)
          .sort(newestFirst((order) => order.placed_at))
          .map(({ _id }) => _id);
        const scope = userId === undefined ? 'everybody' : { userId };
        const queries = orderQueries(db);
        const found: string[] = [];
        for (let more = true, after: PageEnd | undefined; more; ) {
          const page = await queries.list({ scope, status, after, limit: 7 });
          found.push(...page.orders.map(({ _id }) => _id));
          const last = page.orders.at(-1);
          after = last === undefined ? undefined : { value: last.placed_at, id: last._id };
          more = page.more;
          for (const order of page.orders) expect(order).to.not.have.any.keys('items', 'timeline', 'position');
        }
        expect(found).to.deep.equal(expected);
      });
    }
  }

  it('one order, of its user alone', async () => {
    const queries = orderQueries(db);
    const [first] = orders;
    expect((await queries.find(first?._id ?? '', { userId: 'u0' }))?.total).to.equal(0);
    expect(await queries.find(first?._id ?? '', { userId: 'u1' })).to.equal(undefined);
    expect((await queries.find(first?._id ?? '', 'everybody'))?.user_id).to.equal('u0');
  });

  for (const search of [undefined, 'mug', 'blue mug', 'steel ca', 'Kitchen BLACK st', 'a', 'nowhere', 'mug nowhere']) {
    it(`approved products${search === undefined ? '' : ` with the words of "${search}"`}, by category and page`, async () => {
      const words = search?.toLowerCase().split(' ') ?? [];
      const last = words.pop();
      for (const category of [undefined, 'Tools']) {
        const expected = products
          .filter(
            (product) => product.status === 'approved' && (category === undefined || product.category === category),
          )
          .filter(({ terms }) => words.every((word) => terms.includes(word)))
          .filter(({ terms }) => last === undefined || terms.some((term) => term.startsWith(last)))
          .sort(newestFirst((product) => product.created_at))
          .map(({ _id }) => _id);
        const queries = productQueries(db);
        const found: string[] = [];
        for (let more = true, after: ProductCursor | undefined; more; ) {
          const page = await queries.list({
            filter: { search, category },
            sort: 'newest',
            after,
            limit: 10,
            facets: true,
          });
          found.push(...page.products.map(({ _id }) => _id));
          expect(page.facets?.total, 'counted').to.equal(expected.length);
          const last = page.products.at(-1);
          after = last === undefined ? undefined : cursorAt('newest', last);
          more = page.more;
        }
        expect(found, category).to.deep.equal(expected);
      }
    });
  }

  it('documents that never go back, whoever writes first', async () => {
    const documents = positionedDocuments(db, 'positions');
    const ids = Array.from({ length: 20 }, (_, n) => `d${n}`);
    await documents.replace(ids.map((_id) => ({ _id, position: -1n })));
    await Promise.all(
      Array.from({ length: 16 }, (_, writer) =>
        documents.replace(ids.map((_id, n) => ({ _id, position: BigInt((writer * 7 + n) % 16), writer }))),
      ),
    );
    const stored = await documents.read([...ids, 'absent']);
    expect(stored.size).to.equal(ids.length);
    for (const [_id, { position }] of stored) expect(Number(position), _id).to.equal(15);
    expect(await documents.replace([{ _id: 'd0', position: 15n }])).to.deep.equal({ refused: ['d0'], unstorable: [] });
    expect(await documents.replace([{ _id: 'd0', position: 16n }])).to.deep.equal({ refused: [], unstorable: [] });
  });

  it('checkpoints that only move on', async () => {
    const checkpoints = openCheckpoints(db);
    const collection: Collection<{ _id: string }> = db.collection('checkpoints');
    await Promise.all(
      Array.from({ length: 16 }, (_, n) =>
        checkpoints.advance(
          new Map([
            ['a', BigInt(n)],
            ['b', 2n ** 62n - BigInt(n)],
          ]),
        ),
      ),
    );
    expect(await collection.countDocuments()).to.equal(2);
    expect([...(await checkpoints.read(['a', 'b', 'c']))].sort()).to.deep.equal([
      ['a', 15n],
      ['b', 2n ** 62n],
    ]);
  });
});
