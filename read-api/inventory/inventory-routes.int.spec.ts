import { expect } from 'chai';
import {
  type InventoryDocument,
  inventoryModel,
  type ReservationDocument,
  reservationsModel,
} from '../../projections/inventory/document.js';
import { type ShopDocument, shopsModel } from '../../projections/shops/document.js';
import { openCheckpoints } from '../../runtime/document-store/checkpoints.js';
import { ensureIndexes, readModelId } from '../../runtime/document-store/read-model.js';
import type { Caller } from '../../runtime/http/internal-token.js';
import { alice, bob, idOfNumber, inventoryDocument, reservationDocument, shopDocument } from '../spec-documents.js';
import { startReadSide } from '../spec-server.js';

const staff: Caller = { userId: alice, roles: ['auditor'] };
const seller: Caller = { userId: bob, roles: ['customer', 'seller'] };
const [shop, otherShop] = [idOfNumber(902), idOfNumber(912)];

describe('stock over HTTP', function () {
  this.timeout(20_000);
  let side: Awaited<ReturnType<typeof startReadSide>>;

  before(async () => {
    side = await startReadSide();
    for (const model of [inventoryModel, reservationsModel, shopsModel]) await ensureIndexes(side.db, model);
    await side.db
      .collection<ShopDocument>(readModelId(shopsModel))
      .insertMany([shopDocument(902), shopDocument(912, { owner_id: alice })]);
    await side.db
      .collection<InventoryDocument>(readModelId(inventoryModel))
      .insertMany([
        inventoryDocument(10, { available: 5 }),
        inventoryDocument(11, { available: 0 }),
        inventoryDocument(12, { available: 3, product_id: idOfNumber(910) }),
        inventoryDocument(13, { available: 5 }),
        inventoryDocument(14, { available: 2, shop_id: otherShop, sku: 'MUG-10' }),
      ]);
    await side.db
      .collection<ReservationDocument>(readModelId(reservationsModel))
      .insertMany([
        reservationDocument(20, { variant_id: idOfNumber(10) }),
        reservationDocument(21, { variant_id: idOfNumber(10) }),
        reservationDocument(22, { variant_id: idOfNumber(10), reserved_at: reservationDocument(21).reserved_at }),
        reservationDocument(23, { variant_id: idOfNumber(10), status: 'released', reason: 'expired' }),
        reservationDocument(24, { variant_id: idOfNumber(14) }),
      ]);
  });
  after(async () => {
    await side.close();
  });

  const list = async (query: string, caller: Caller = staff) => {
    const { status, data } = await side.get(`/inventory${query}`, caller);
    expect(status).to.equal(200);
    return data as { inventory: Record<string, unknown>[]; next_cursor: string | null };
  };
  const numberOf = (id: unknown) => Number(String(id).slice(-12));
  const numbers = ({ inventory }: { inventory: Record<string, unknown>[] }) =>
    inventory.map(({ variant_id }) => numberOf(variant_id));
  const reservations = async (query = '', caller: Caller = staff) => {
    const { status, data } = await side.get(`/inventory/${idOfNumber(10)}/reservations${query}`, caller);
    expect(status).to.equal(200);
    return data as { reservations: Record<string, unknown>[]; next_cursor: string | null };
  };

  it('is listed by SKU, or by what is available, either way round', async () => {
    expect(numbers(await list(''))).to.deep.equal([10, 14, 11, 12, 13]);
    expect(numbers(await list('?sort=-sku'))).to.deep.equal([13, 12, 11, 14, 10]);
    expect(numbers(await list(`?shop_id=${shop}&sort=available`))).to.deep.equal([11, 12, 10, 13]);
    expect(numbers(await list(`?shop_id=${shop}&sort=-available`))).to.deep.equal([13, 10, 12, 11]);
    expect(numbers(await list('?low_stock=true&sort=available'))).to.deep.equal([11, 14, 12]);
  });

  it('is filtered by shop, product, SKU, and by what runs low', async () => {
    expect(numbers(await list(`?shop_id=${shop}`))).to.deep.equal([10, 11, 12, 13]);
    expect(numbers(await list(`?product_id=${idOfNumber(910)}`))).to.deep.equal([12]);
    expect(numbers(await list('?sku=MUG-10'))).to.deep.equal([10, 14]);
    expect(numbers(await list('?low_stock=true'))).to.deep.equal([14, 11, 12]);
    expect(numbers(await list(`?low_stock=true&shop_id=${shop}&sort=available`))).to.deep.equal([11, 12]);
  });

  for (const sort of ['sku', '-sku', 'available', '-available']) {
    it(`is paged without gap or repeat by ${sort}, at equal values too`, async () => {
      const whole = numbers(await list(`?shop_id=${shop}&sort=${sort}`));
      const seen: number[] = [];
      for (let after = '', page = 0; page < whole.length; page += 1) {
        const found = await list(`?shop_id=${shop}&sort=${sort}&limit=1${after}`);
        seen.push(...numbers(found));
        expect(found.next_cursor === null).to.equal(page === whole.length - 1);
        after = `&cursor=${found.next_cursor}`;
      }
      expect(seen).to.deep.equal(whole);
    });
  }

  it('is shown with its levels', async () => {
    const { status, data } = await side.get(`/inventory/${idOfNumber(10)}`, staff);
    expect(status).to.equal(200);
    const { _id, position: _, ...stock } = inventoryDocument(10, { available: 5 });
    expect(data).to.deep.equal({ variant_id: _id, ...stock });
  });

  it('tells of the reservations that are open, newest first, and of others by status', async () => {
    const open = await reservations();
    expect(open.reservations.map(({ reservation_id }) => numberOf(reservation_id))).to.deep.equal([22, 21, 20]);
    expect(open.reservations[0]).to.deep.include({ status: 'open', quantity: 2, order_id: idOfNumber(907) });
    expect(open.reservations[0]).to.not.have.any.keys('_id', 'position');
    const released = await reservations('?status=released');
    expect(released.reservations.map(({ reason }) => reason)).to.deep.equal(['expired']);
    expect((await reservations('?status=confirmed')).reservations).to.deep.equal([]);
    const seen: number[] = [];
    let query = '?limit=1';
    for (let page = 0; page < 3; page += 1) {
      const found = await reservations(query);
      seen.push(...found.reservations.map(({ reservation_id }) => numberOf(reservation_id)));
      expect(found.next_cursor === null).to.equal(page === 2);
      query = `?limit=1&cursor=${found.next_cursor}`;
    }
    expect(seen).to.deep.equal([22, 21, 20]);
  });

  it('of her own shop is a seller’s to see', async () => {
    expect(numbers(await list(`?shop_id=${shop}`, seller))).to.deep.equal([10, 11, 12, 13]);
    expect((await side.get(`/inventory/${idOfNumber(10)}`, seller)).status).to.equal(200);
    expect((await reservations('', seller)).reservations).to.have.length(3);
  });

  it('of another shop, or of all, is not', async () => {
    for (const query of ['', `?shop_id=${otherShop}`, `?shop_id=${idOfNumber(999)}`]) {
      expect(await side.get(`/inventory${query}`, seller)).to.deep.include({ status: 403, code: 'forbidden' });
    }
    for (const path of [`/inventory/${idOfNumber(14)}`, `/inventory/${idOfNumber(14)}/reservations`]) {
      expect(await side.get(path, seller)).to.deep.include({ status: 404, code: 'not-found' });
    }
    for (const path of ['', `/${idOfNumber(10)}`, `/${idOfNumber(10)}/reservations`]) {
      const customer = { userId: bob, roles: ['customer'] };
      expect((await side.get(`/inventory${path}?shop_id=${shop}`, customer)).status).to.equal(403);
      expect((await side.get(`/inventory${path}`, 'anonymous')).status).to.equal(401);
    }
  });

  it('that is unknown is 404', async () => {
    for (const id of [idOfNumber(99), 'mug', '%00']) {
      expect((await side.get(`/inventory/${id}`, staff)).status).to.equal(404);
      expect((await side.get(`/inventory/${id}/reservations`, staff)).status).to.equal(404);
    }
  });

  it('waits for the read models that the route reads', async () => {
    const reached = [inventoryModel, shopsModel].map((model) => [readModelId(model), 50n] as const);
    await openCheckpoints(side.db).advance(new Map(reached));
    const headers = { 'x-consistency-token': '50' };
    const hurried = { ...headers, 'x-consistency-wait': '20' };
    expect((await side.get('/inventory', staff, headers)).status).to.equal(200);
    const late = await side.get(`/inventory/${idOfNumber(10)}/reservations`, staff, hurried);
    expect(late.status).to.equal(504);
  });

  const made = (...values: unknown[]) => Buffer.from(JSON.stringify(values)).toString('base64url');
  for (const path of [
    '?low_stock=yes',
    '?sort=price',
    '?sort=available',
    '?shop_id[$ne]=x',
    '?sku[$gt]=',
    '?limit=101',
    '?cursor=abc',
    `?cursor=${made({ $gt: '' }, idOfNumber(1))}`,
    `?cursor=${made(5, idOfNumber(1))}`,
    `?shop_id=${shop}&sort=available&cursor=${made('MUG-1', idOfNumber(1))}`,
    `/${idOfNumber(10)}?a=b`,
    `/${idOfNumber(10)}/reservations?status=lost`,
    `/${idOfNumber(10)}/reservations?cursor=${made(5, idOfNumber(1))}`,
  ]) {
    it(`is refused as ${path}`, async () => {
      const refused = await side.get(`/inventory${path}`, staff);
      expect(refused).to.deep.include({ status: 422, code: 'validation-failed' });
    });
  }
});
