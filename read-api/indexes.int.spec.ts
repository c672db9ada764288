import { expect } from 'chai';
import type { Document } from 'mongodb';
import { routes } from '../gateway/routes.js';
import { allProjections } from '../projections/all-projections.js';
import { productSalesModel, salesModel } from '../projections/analytics/document.js';
import { inventoryModel, reservationsModel } from '../projections/inventory/document.js';
import { notificationsModel } from '../projections/notifications/document.js';
import { orderStatuses, ordersModel } from '../projections/orders/document.js';
import { productSearchModel } from '../projections/product-search/document.js';
import { shopsModel } from '../projections/shops/document.js';
import { ensureIndexes, readModelId } from '../runtime/document-store/read-model.js';
import type { Principal } from '../runtime/http/internal-token.js';
import {
  alice,
  bob,
  idOfNumber,
  inventoryDocument,
  notificationDocument,
  orderDocument,
  productDocument,
  productSalesDocument,
  reservationDocument,
  salesDocument,
  shopDocument,
} from './spec-documents.js';
import { explainQuery } from './spec-explain.js';
import { startReadSide } from './spec-server.js';

const count = 400;
const numbers = Array.from({ length: count }, (_, index) => index + 1_000);
const customer: Principal = { userId: alice, roles: ['customer'] };
const seller: Principal = { userId: bob, roles: ['seller'] };
const admin: Principal = { userId: idOfNumber(3), roles: ['admin'] };
const shop = idOfNumber(902);
const day = (number: number) => new Date(Date.UTC(2026, 0, number - 999)).toISOString().slice(0, 10);
const cursorOf = (value: unknown, number = 1_100) =>
  Buffer.from(JSON.stringify([value, idOfNumber(number)])).toString('base64url');

const cursorOfNotifications = Buffer.from(
  JSON.stringify(['2026-01-05T09:20:00.000Z', `${idOfNumber(1_100)}:order_received`]),
).toString('base64url');
const cursorOfProducts = (sort: string, ...values: unknown[]) =>
  Buffer.from(JSON.stringify([sort, ...values, idOfNumber(1_100)])).toString('base64url');

/** What the collections hold, by read model: enough for a scan to show. */
const seeds = new Map<string, readonly Document[]>([
  [
    readModelId(ordersModel),
    numbers.map((number) => {
      const status = orderStatuses[number % orderStatuses.length] ?? 'pending';
      return orderDocument(number, { status, user_id: number % 5 === 0 ? alice : idOfNumber(number % 50) });
    }),
  ],
  [
    readModelId(productSearchModel),
    numbers.map((number) => {
      const words = [number % 2 === 0 ? 'blue' : 'red', `thing${number}`];
      return productDocument(number, {
        category: `Room ${number % 20}`,
        shop_id: idOfNumber(number % 30),
        in_stock: number % 7 !== 0,
        min_price: number % 50,
        terms: words,
        name_terms: words,
        name_key: words.join(' '),
        near: [`thing${number}`, `thng${number}`],
      });
    }),
  ],
  [
    readModelId(inventoryModel),
    numbers.map((number) =>
      inventoryDocument(number, {
        available: number % 40,
        product_id: idOfNumber(number % 100),
        shop_id: number % 4 === 0 ? shop : idOfNumber(number % 30),
      }),
    ),
  ],
  [
    readModelId(reservationsModel),
    numbers.map((number) =>
      reservationDocument(number, {
        variant_id: idOfNumber(1_000 + (number % 4)),
        status: number % 3 === 0 ? 'open' : 'confirmed',
      }),
    ),
  ],
  [
    readModelId(notificationsModel),
    numbers.map((number) =>
      notificationDocument(number, number % 3 === 0 ? 'order_received' : 'order_failed', {
        user_id: number % 5 === 0 ? alice : idOfNumber(number % 50),
      }),
    ),
  ],
  [readModelId(shopsModel), [shopDocument(902), ...numbers.map((number) => shopDocument(number, { owner_id: alice }))]],
  [
    readModelId(salesModel),
    numbers.map((number) => salesDocument(day(number), { country: number % 2 === 0 ? 'GB' : 'FR' })),
  ],
  [
    readModelId(productSalesModel),
    numbers.map((number) => {
      const days = [{ day: day(number), orders: 1, units: 2, revenue: 5n }];
      return productSalesDocument(number, day(number).slice(0, 7), days);
    }),
  ],
]);

interface Asked {
  readonly path: string;
  readonly as?: Principal;
  /** Its sums take in all that is in the range: what it reads is not bounded by what it answers. */
  readonly sums?: true;
  /** What it finds by an index is few enough to be put in order afterwards. */
  readonly sortsFew?: true;
}

/** Every question that the read side answers, as clients ask it. A new route or filter gets a line here. */
const questions: readonly Asked[] = [
  { path: '/orders', as: customer },
  { path: `/orders?cursor=${cursorOf('2026-01-05T09:20:00.000Z')}`, as: customer },
  { path: '/orders?status=confirmed', as: customer },
  { path: '/orders' },
  { path: `/orders?cursor=${cursorOf('2026-01-05T09:20:00.000Z')}` },
  { path: '/orders?status=failed' },
  { path: `/orders?user_id=${alice}` },
  { path: `/orders?user_id=${alice}&status=confirmed&cursor=${cursorOf('2026-01-05T09:20:00.000Z')}` },
  { path: `/orders/${idOfNumber(1_000)}`, as: customer },
  { path: '/products' },
  { path: '/products?category=Room%203' },
  { path: `/products?shop_id=${idOfNumber(7)}` },
  { path: '/products?in_stock=false' },
  { path: '/products?in_stock=true' },
  { path: `/products?cursor=${cursorOfProducts('newest', '2026-01-05T09:20:00.000Z')}` },
  { path: '/products?sort=name' },
  { path: `/products?sort=name&cursor=${cursorOfProducts('name', 'red thing1101')}` },
  { path: '/products?sort=price_asc&currency=GBP' },
  { path: '/products?sort=price_asc&currency=GBP&min_price=0.10&max_price=0.20' },
  { path: `/products?sort=price_desc&currency=GBP&cursor=${cursorOfProducts('price_desc', 20)}` },
  { path: '/products?search=thing1100', sortsFew: true },
  { path: '/products?search=blue%20thing110', sortsFew: true },
  { path: '/products?search=thing1100&sort=newest', sortsFew: true },
  {
    path: `/products?search=thing110&cursor=${cursorOfProducts('relevance', 600, '2026-01-05T09:20:00.000Z')}`,
    sortsFew: true,
  },
  { path: '/products?search=thxng1100', sortsFew: true },
  { path: '/products?facets=true&category=Room%203', sums: true },
  { path: `/products/${idOfNumber(1_000)}` },
  { path: '/inventory' },
  { path: '/inventory?sort=-sku' },
  { path: `/inventory?cursor=${cursorOf('MUG-1100')}` },
  { path: `/inventory?shop_id=${shop}&sort=-available&cursor=${cursorOf(20)}` },
  { path: '/inventory?sku=MUG-1100' },
  { path: `/inventory?product_id=${idOfNumber(7)}` },
  { path: `/inventory?product_id=${idOfNumber(7)}&shop_id=${shop}` },
  { path: '/inventory?low_stock=true' },
  { path: '/inventory?low_stock=true&sort=available' },
  { path: `/inventory?low_stock=true&cursor=${cursorOf('MUG-1100')}` },
  { path: `/inventory?shop_id=${shop}`, as: seller },
  { path: `/inventory?shop_id=${shop}&sort=available`, as: seller },
  { path: `/inventory?shop_id=${shop}&sku=MUG-1100`, as: seller },
  { path: `/inventory?shop_id=${shop}&low_stock=true`, as: seller },
  { path: `/inventory?shop_id=${shop}&low_stock=true&sort=-available&cursor=${cursorOf(2)}`, as: seller },
  { path: `/inventory?shop_id=${shop}&low_stock=true&cursor=${cursorOf('MUG-1100')}`, as: seller },
  { path: `/inventory/${idOfNumber(1_000)}`, as: seller },
  { path: `/inventory/${idOfNumber(1_000)}/reservations`, as: seller },
  { path: `/inventory/${idOfNumber(1_001)}/reservations?status=confirmed` },
  { path: `/inventory/${idOfNumber(1_001)}/reservations?cursor=${cursorOf('2026-01-05T09:20:00.000Z')}` },
  { path: '/notifications', as: customer },
  { path: '/notifications?kind=order_received', as: customer },
  { path: `/notifications?cursor=${cursorOfNotifications}`, as: customer },
  { path: '/analytics/sales?from=2026-01-03&to=2026-01-20', sums: true },
  { path: '/analytics/sales?from=2026-01-03&to=2026-02-20&country=FR&group_by=month,country', sums: true },
  { path: '/analytics/sales?from=2026-01-03&to=2026-02-20&channel=import&currency=GBP&group_by=channel', sums: true },
  { path: '/analytics/products?from=2026-02-03&to=2026-02-20', sums: true },
  { path: '/analytics/products?from=2026-02-03&to=2026-02-20&country=GB&sort=revenue&currency=GBP', sums: true },
];

/** A page of twenty, and one more to see whether there is another. */
const pageOf20 = 21;
const listed = ['find', 'aggregate', 'count', 'distinct'];

describe('the read side', function () {
  this.timeout(30_000);
  let side: Awaited<ReturnType<typeof startReadSide>>;
  const sent: Document[] = [];

  before(async () => {
    side = await startReadSide(undefined, (command) => {
      if (listed.some((name) => name in command)) sent.push(command);
    });
    for (const { model } of allProjections) await ensureIndexes(side.db, model);
    for (const [id, documents] of seeds) await side.db.collection<Document>(id).insertMany([...documents]);
  });
  after(async () => {
    await side.close();
  });

  for (const { path, as = admin, sums, sortsFew } of questions) {
    it(`finds GET ${path} by an index${as === admin ? '' : `, for a ${as.roles.join(' and ')}`}`, async () => {
      sent.length = 0;
      const { status } = await side.get(path, as);
      expect(status).to.equal(200);
      expect(sent).to.have.length.greaterThan(0);
      for (const command of [...sent]) {
        const explained = await explainQuery(side.db, command);
        const told = JSON.stringify(explained);
        expect(explained.stages, told).to.not.include('COLLSCAN');
        expect(
          explained.stages.some((stage) => /IXSCAN|IDHACK|EXPRESS/.test(stage)),
          told,
        ).to.equal(true);
        if (!sortsFew) expect(explained.stages, told).to.not.include('SORT');
        if (!sums) expect(explained.documentsExamined, told).to.be.at.most(pageOf20);
      }
    });
  }

  it('has a line in this table for every route', () => {
    const asked = questions.map(({ path }) => path.split('?')[0]?.split('/') ?? []);
    const reads = routes.filter(({ service, method }) => service === 'read-api' && method === 'GET');
    const missing = reads.filter(({ path }) => {
      const segments = path.split('/');
      const fits = (parts: readonly string[]) =>
        parts.length === segments.length && segments.every((part, i) => part.startsWith(':') || part === parts[i]);
      return !asked.some(fits);
    });
    expect(missing.map(({ path }) => path)).to.deep.equal([]);
  });
});
