import { expect } from 'chai';
import { fold } from '../core/decider.js';
import { given } from '../core/specification.js';
import { inventoryDecider } from './inventory.js';
import { commands, events, item, warehouse } from './inventory-fixture.js';

const { receive, adjust, reserve, extend, confirm, release, restock, expire } = commands;
const { received, adjusted, reserved, refused, confirmed, lapsed, released, restocked, low } = events;

const ten = received(10, 1, 10);
/** Reservation 1 holds four of ten until second 900. */
const held = [ten, reserved(1, [[1, 4]], 900, 6)];

describe('a variant that never had stock', () => {
  it('takes in goods', () => {
    given(inventoryDecider).when(receive(10)).then(ten);
    given(inventoryDecider)
      .when(adjust(3))
      .then(adjusted(3, 1, 3));
  });

  it('refuses what cannot be', () => {
    given(inventoryDecider).when(receive(0)).thenRefused('quantity-not-positive');
    given(inventoryDecider).when(adjust(-1)).thenRefused('stock-below-zero');
    given(inventoryDecider).when(reserve(1, 0)).thenRefused('quantity-not-positive');
    given(inventoryDecider).when(extend(1, 900)).thenRefused('reservation-not-found');
    given(inventoryDecider).when(restock(1)).thenRefused('reservation-not-found');
  });

  it('has nothing to reserve, and says that it is unknown, the second time as well', () => {
    const first = refused(1, 2, 'unknown_stock', 0);
    given(inventoryDecider).when(reserve(1, 2)).then(first);
    given(inventoryDecider, first)
      .when(reserve(2, 1))
      .then(refused(2, 1, 'unknown_stock', 0));
  });

  it('has nothing to confirm, to release or to let expire', () => {
    given(inventoryDecider).when(confirm(1)).then(lapsed(1, 0));
    given(inventoryDecider).when(release(1)).thenNothing();
    given(inventoryDecider).when(expire(900)).thenNothing();
  });
});

describe('adjusting stock', () => {
  it('by nothing changes nothing', () => {
    given(inventoryDecider, ten).when(adjust(0)).thenNothing();
  });

  it('may leave exactly what is reserved, and no less', () => {
    given(inventoryDecider, ...held)
      .when(adjust(-6))
      .then(adjusted(-6, 1, 0));
    given(inventoryDecider, ...held)
      .when(adjust(-7))
      .thenRefused('stock-below-zero');
  });

  it('looks at the warehouse that is counted, whatever is in the others', () => {
    const elsewhere = [...held, received(50, 2, 56)];
    given(inventoryDecider, ...elsewhere)
      .when(adjust(-7, 1))
      .thenRefused('stock-below-zero');
    given(inventoryDecider, ...elsewhere)
      .when(adjust(-50, 2))
      .then(adjusted(-50, 2, 6));
    given(inventoryDecider, ...elsewhere)
      .when(adjust(-1, 3))
      .thenRefused('stock-below-zero');
  });

  it('may take away what was reserved until a moment ago', () => {
    given(inventoryDecider, ...held)
      .when(adjust(-10, 1, 900))
      .then(released(1, [[1, 4]], 'expired', 10), adjusted(-10, 1, 0));
  });
});

describe('reserving', () => {
  it('takes what is free, to the last piece', () => {
    given(inventoryDecider, ten)
      .when(reserve(1, 10, 900, 0, -1))
      .then(reserved(1, [[1, 10]], 900, 0));
  });

  it('is refused for more than that', () => {
    given(inventoryDecider, ten)
      .when(reserve(1, 11))
      .then(refused(1, 11, 'insufficient_stock', 10));
    given(inventoryDecider, ...held)
      .when(reserve(2, 7))
      .then(refused(2, 7, 'insufficient_stock', 6));
  });

  it('again says nothing while it is held', () => {
    given(inventoryDecider, ...held)
      .when(reserve(1, 4))
      .thenNothing();
    given(inventoryDecider, ...held)
      .when(reserve(1, 9, 1800))
      .thenNothing();
  });

  for (const [how, ending] of Object.entries({
    released: [released(1, [[1, 4]], 'cancelled', 10)],
    expired: [released(1, [[1, 4]], 'expired', 10)],
    confirmed: [confirmed(1, [[1, 4]], 6)],
    restocked: [confirmed(1, [[1, 4]], 6), restocked(1, [[1, 4]], 'returned', 10)],
  })) {
    it(`anew under the id of a reservation that was ${how} is refused`, () => {
      const left = how === 'confirmed' ? 6 : 10;
      given(inventoryDecider, ...held, ...ending)
        .when(reserve(1, 1))
        .then(refused(1, 1, 'insufficient_stock', left));
    });
  }

  it('again when its own reservation is due gives it back and is refused: the next attempt has another id', () => {
    given(inventoryDecider, ...held)
      .when(reserve(1, 4, 1800, 900))
      .then(released(1, [[1, 4]], 'expired', 10), refused(1, 4, 'insufficient_stock', 10));
  });
});

describe('reserving from several warehouses', () => {
  const stock = [received(3, 1, 3), received(5, 2, 8), received(5, 3, 13)];

  it('takes one that holds it all, the fullest, the first by id of equals', () => {
    given(inventoryDecider, ...stock)
      .when(reserve(1, 2))
      .then(reserved(1, [[2, 2]], 900, 11));
    given(inventoryDecider, ...stock, reserved(1, [[2, 2]], 900, 11))
      .when(reserve(2, 5))
      .then(reserved(2, [[3, 5]], 900, 6));
  });

  it('spreads what no single one holds, the fullest first', () => {
    given(inventoryDecider, ...stock)
      .when(reserve(1, 12))
      .then(
        reserved(
          1,
          [
            [2, 5],
            [3, 5],
            [1, 2],
          ],
          900,
          1,
        ),
      );
  });

  it('gives every part back to where it came from', () => {
    const parts = [
      [2, 5],
      [3, 5],
      [1, 3],
    ] as const;
    const all = [...stock, reserved(1, parts, 900, 0)];
    given(inventoryDecider, ...all)
      .when(release(1))
      .then(released(1, parts, 'cancelled', 13));
    given(inventoryDecider, ...all, released(1, parts, 'cancelled', 13))
      .when(reserve(2, 5))
      .then(reserved(2, [[2, 5]], 900, 8));
    const sold = [...all, confirmed(1, parts, 0)];
    expect(fold(inventoryDecider, sold).warehouses[warehouse(2)]).to.deep.equal({ onHand: 0, reserved: 0 });
    const back = fold(inventoryDecider, [...sold, restocked(1, parts, 'returned', 13)]);
    expect(back.warehouses).to.deep.equal(fold(inventoryDecider, stock).warehouses);
  });
});

describe('low stock', () => {
  it('is told once, where the threshold is crossed', () => {
    given(inventoryDecider, ten)
      .when(reserve(1, 4, 900, 0, 5))
      .then(reserved(1, [[1, 4]], 900, 6));
    given(inventoryDecider, ten)
      .when(reserve(1, 5, 900, 0, 5))
      .then(reserved(1, [[1, 5]], 900, 5), low(5, 5));
    given(inventoryDecider, ten, reserved(1, [[1, 5]], 900, 5), low(5, 5))
      .when(reserve(2, 1, 900, 0, 5))
      .then(reserved(2, [[1, 1]], 900, 4));
  });

  it('is told again when stock has recovered meanwhile', () => {
    given(inventoryDecider, ten, reserved(1, [[1, 6]], 900, 4), low(5, 4), received(10, 1, 14))
      .when(reserve(2, 9, 900, 0, 5))
      .then(reserved(2, [[1, 9]], 900, 5), low(5, 5));
  });

  it('counts what expires in the same decision as recovered', () => {
    given(inventoryDecider, ten, reserved(1, [[1, 6]], 900, 4), low(5, 4))
      .when(reserve(2, 5, 1800, 900, 5))
      .then(released(1, [[1, 6]], 'expired', 10), reserved(2, [[1, 5]], 1800, 5), low(5, 5));
  });

  it('is not told when a reservation is refused', () => {
    given(inventoryDecider, ten)
      .when(reserve(1, 11, 900, 0, 10))
      .thenTypes('inventory.reservation.failed');
  });
});

describe('whose stock it is', () => {
  it('is what the first event said, whatever later commands carry', () => {
    const command = receive(1);
    const renamed = { ...command, data: { ...command.data, sku: 'OTHER', shop_id: warehouse(9) } } as typeof command;
    given(inventoryDecider, ten)
      .when(renamed)
      .then(received(1, 1, 11));
    expect(fold(inventoryDecider, [ten]).item).to.deep.equal(item);
  });
});
