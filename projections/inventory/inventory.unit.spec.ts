import { expect } from 'chai';
import fc from 'fast-check';
import { eventCatalog } from '../../domain/event-catalog.js';
import type { InventoryEvent } from '../../domain/inventory/inventory-events.js';
import { at, events, item, orderId, reservationId, warehouse } from '../../domain/inventory/inventory-fixture.js';
import type { Positioned } from '../../runtime/document-store/positioned.js';
import { batchDecoder } from '../decode-batch.js';
import { foldDocuments, touchedDocuments } from '../fold-batch.js';
import type { Projection } from '../projection.js';
import { asRecorded, asStored } from '../spec-histories.js';
import { stockHistories } from '../spec-stock.js';
import type { InventoryBody, ReservationBody } from './document.js';
import { inventoryProjection } from './inventory.js';
import { type ReservationEvent, reservationsProjection } from './reservations.js';

function stockAfter(...history: readonly InventoryEvent[]): InventoryBody {
  let stock: InventoryBody | undefined;
  for (const event of asRecorded(history)) stock = inventoryProjection.evolve(stock, event, item.variant_id);
  if (stock === undefined) throw new Error('there is no document');
  return stock;
}

function reservationsAfter(...history: readonly InventoryEvent[]): ReadonlyMap<string, ReservationBody> {
  const documents = new Map<string, ReservationBody>();
  for (const event of asRecorded(history)) {
    if (!reservationsProjection.types.has(event.type)) continue;
    const known = event as typeof event & { type: ReservationEvent['type'] };
    const id = known.data.reservation_id;
    const next = reservationsProjection.evolve(documents.get(id), known, id);
    if (next !== undefined) documents.set(id, next);
  }
  return documents;
}

const level = (n: number, on_hand: number, reserved: number) => ({
  warehouse_id: warehouse(n),
  on_hand,
  reserved,
  available: on_hand - reserved,
});
const parts = [
  [1, 3],
  [2, 1],
] as const;
const stocked = [events.received(3, 1, 3), events.received(5, 2, 8)];
const reserved = [...stocked, events.reserved(1, parts, 900, 4)];

describe('the stock of a variant', () => {
  it('has a level in each warehouse that something came into', () => {
    const { product_id, shop_id, sku } = item;
    expect(stockAfter(...stocked, events.adjusted(-2, 2, 6))).to.deep.equal({
      product_id,
      shop_id,
      sku,
      levels: [level(1, 3, 0), level(2, 3, 0)],
      on_hand: 6,
      reserved: 0,
      available: 6,
      low_stock_threshold: null,
      low_stock: false,
      last_change: { type: 'inventory.adjusted', occurred_at: '2026-01-05T09:00:02.000Z' },
    });
  });

  const ways: [string, InventoryEvent[], [number, number][]][] = [
    [
      'is held by a reservation, warehouse by warehouse',
      [],
      [
        [3, 3],
        [5, 1],
      ],
    ],
    [
      'leaves with its confirmation',
      [events.confirmed(1, parts, 4)],
      [
        [0, 0],
        [4, 0],
      ],
    ],
    [
      'is free again with its release',
      [events.released(1, parts, 'expired', 8)],
      [
        [3, 0],
        [5, 0],
      ],
    ],
    [
      'comes back when it is restocked',
      [events.confirmed(1, parts, 4), events.restocked(1, parts, 'returned', 8)],
      [
        [3, 0],
        [5, 0],
      ],
    ],
  ];
  for (const [what, then, levels] of ways) {
    it(what, () => {
      const stock = stockAfter(...reserved, ...then);
      expect(stock.levels).to.deep.equal(levels.map(([onHand, held], n) => level(n + 1, onHand, held)));
      expect(stock.available).to.equal(stock.on_hand - stock.reserved);
    });
  }

  it('is not written anew for what moves nothing', () => {
    const before = stockAfter(...reserved);
    const idle = [events.extended(1, 1_000, 4), events.refused(2, 9, 'insufficient_stock', 4), events.lapsed(3, 4)];
    for (const event of asRecorded(idle)) {
      expect(inventoryProjection.evolve(before, event, item.variant_id)).to.equal(before);
    }
  });

  it('runs low as the events say, until there is more again', () => {
    const low = [...reserved, events.low(4, 4)];
    expect(stockAfter(...reserved)).to.deep.include({ low_stock: false, low_stock_threshold: null });
    expect(stockAfter(...low)).to.deep.include({ low_stock: true, low_stock_threshold: 4 });
    expect(stockAfter(...low).last_change?.type).to.equal('inventory.reserved');
    expect(stockAfter(...low, events.received(1, 1, 5))).to.deep.include({ low_stock: false, low_stock_threshold: 4 });
    expect(stockAfter(...low, events.received(1, 1, 5), events.adjusted(-1, 1, 4)).low_stock).to.equal(true);
  });

  it('is low when there is none, though nobody said so', () => {
    expect(stockAfter(...stocked, events.adjusted(-8, 1, 0)).low_stock).to.equal(true);
    expect(stockAfter(events.refused(1, 2, 'unknown_stock', 0))).to.deep.include({
      levels: [],
      available: 0,
      low_stock: true,
      last_change: null,
    });
  });

  it('stays of one size, however often it is sold', () => {
    const sold = Array.from({ length: 500 }, (_, n) => [
      events.reserved(n, [[1, 1]], 900, 999 - n),
      events.confirmed(n, [[1, 1]], 999 - n),
    ]).flat();
    const once = JSON.stringify(stockAfter(events.received(1_000, 1, 1_000), ...sold.slice(0, 2)));
    const often = JSON.stringify(stockAfter(events.received(1_000, 1, 1_000), ...sold));
    expect(often.length).to.be.at.most(once.length);
  });
});

describe('a reservation', () => {
  it('is open, with what it holds where and until when', () => {
    expect(reservationsAfter(...reserved).get(reservationId(1))).to.deep.equal({
      order_id: orderId(1),
      ...item,
      quantity: 4,
      parts: [
        { warehouse_id: warehouse(1), quantity: 3 },
        { warehouse_id: warehouse(2), quantity: 1 },
      ],
      status: 'open',
      reason: null,
      expires_at: at(900),
      reserved_at: '2026-01-05T09:00:02.000Z',
      changed_at: '2026-01-05T09:00:02.000Z',
    });
  });

  it('is extended, and stays open', () => {
    const reservation = reservationsAfter(...reserved, events.extended(1, 2_000, 4)).get(reservationId(1));
    expect(reservation).to.deep.include({ status: 'open', expires_at: at(2_000) });
  });

  it('ends confirmed, released or restocked, and says why', () => {
    const confirmed = [...reserved, events.confirmed(1, parts, 4)];
    const endOf = (...history: readonly InventoryEvent[]) => {
      const { status, reason, changed_at } = reservationsAfter(...history).get(reservationId(1)) ?? {};
      return [status, reason, changed_at];
    };
    expect(endOf(...confirmed)).to.deep.equal(['confirmed', null, '2026-01-05T09:00:03.000Z']);
    expect(endOf(...reserved, events.released(1, parts, 'expired', 8))).to.deep.equal([
      'released',
      'expired',
      '2026-01-05T09:00:03.000Z',
    ]);
    expect(endOf(...confirmed, events.restocked(1, parts, 'confirmation_undone', 8))).to.deep.equal([
      'restocked',
      'confirmation_undone',
      '2026-01-05T09:00:04.000Z',
    ]);
  });

  it('that was refused is none', () => {
    expect(reservationsAfter(...stocked, events.refused(1, 9, 'insufficient_stock', 8)).size).to.equal(0);
  });
});

describe('any history of a variant', () => {
  it('has levels that come to what its events say is available', () => {
    fc.assert(
      fc.property(stockHistories, ({ history, states }) => {
        for (const [index, event] of history.entries()) {
          const stock = stockAfter(...history.slice(0, index + 1));
          expect(stock.available).to.equal(event.data.available);
          expect(stock.levels.reduce((sum, { available }) => sum + available, 0)).to.equal(event.data.available);
          expect(stock.on_hand - stock.reserved).to.equal(event.data.available);
          const warehouses = stock.levels.map(({ warehouse_id, on_hand, reserved: held }) => [
            warehouse_id,
            { onHand: on_hand, reserved: held },
          ]);
          expect(Object.fromEntries(warehouses)).to.deep.equal(states[index]?.warehouses);
          if (event.type === 'inventory.low') expect(stock.low_stock).to.equal(true);
        }
      }),
    );
  });

  it('leaves those reservations open that the decider holds open', () => {
    fc.assert(
      fc.property(stockHistories, ({ history, states }) => {
        const found = [...reservationsAfter(...history)];
        const open = found.filter(([, { status }]) => status === 'open');
        const held = states.at(-1)?.open;
        expect(open.length).to.equal(held?.size ?? 0);
        for (const [id, { parts: holding, expires_at }] of open) {
          expect(held?.get(id)?.expiresAt).to.equal(Date.parse(expires_at));
          expect(held?.get(id)?.parts.map(({ quantity: q }) => q)).to.deep.equal(holding.map(({ quantity: q }) => q));
        }
        const sum = open.reduce((all, [, reservation]) => all + reservation.quantity, 0);
        if (history.length > 0) expect(stockAfter(...history).reserved).to.equal(sum);
      }),
    );
  });

  for (const projection of [inventoryProjection, reservationsProjection] as readonly Projection[]) {
    it(`folds to the same ${projection.model.name} in batches of any size`, () => {
      fc.assert(
        fc.property(stockHistories, fc.integer({ min: 1, max: 7 }), ({ history }, size) => {
          const log = asStored(history);
          const store = new Map<string, Positioned>();
          for (let from = 0; from < log.length; from += size) {
            const { events: touched } = touchedDocuments(
              projection,
              log.slice(from, from + size),
              batchDecoder(eventCatalog),
            );
            for (const document of foldDocuments(projection, store, touched).documents)
              store.set(document._id, document);
          }
          const { events: all } = touchedDocuments(projection, log, batchDecoder(eventCatalog));
          const whole = foldDocuments(projection, new Map(), all);
          expect(whole.parked).to.deep.equal([]);
          expect([...store.values()]).to.have.deep.members([...whole.documents]);
        }),
      );
    });
  }
});
