import { given } from '../core/specification.js';
import { inventoryDecider } from './inventory.js';
import { commands, events } from './inventory-fixture.js';

const { receive, adjust, reserve, extend, confirm, release, restock, expire } = commands;
const { received, adjusted, reserved, refused, extended, confirmed, lapsed, released, restocked } = events;

const ten = received(10, 1, 10);
/** Reservation 1 holds four of ten until second 900. */
const held = [ten, reserved(1, [[1, 4]], 900, 6)];

describe('expiry', () => {
  it('is due at the very moment, not before', () => {
    given(inventoryDecider, ...held)
      .when(expire(899.999))
      .thenNothing();
    given(inventoryDecider, ...held)
      .when(expire(900))
      .then(released(1, [[1, 4]], 'expired', 10));
  });

  it('frees the stock for a stranger in the same decision', () => {
    given(inventoryDecider, ...held)
      .when(reserve(2, 10, 1800, 900, -1))
      .then(released(1, [[1, 4]], 'expired', 10), reserved(2, [[1, 10]], 1800, 0));
  });

  const three = [
    ten,
    reserved(3, [[1, 1]], 600, 9),
    reserved(2, [[1, 2]], 900, 7),
    reserved(1, [[1, 3]], 600, 4),
    reserved(4, [[1, 1]], 901, 3),
  ];
  it('of several comes in the order they were due, ties by id, with the stock after each', () => {
    given(inventoryDecider, ...three)
      .when(receive(5, 1, 900))
      .then(
        released(1, [[1, 3]], 'expired', 6),
        released(3, [[1, 1]], 'expired', 7),
        released(2, [[1, 2]], 'expired', 9),
        received(5, 1, 14),
      );
  });

  const due = released(1, [[1, 4]], 'expired', 10);
  it('comes before whatever else is decided', () => {
    given(inventoryDecider, ...held)
      .when(reserve(2, 11, 1800, 900))
      .then(due, refused(2, 11, 'insufficient_stock', 10));
    given(inventoryDecider, ...held)
      .when(confirm(2, 900))
      .then(due, lapsed(2, 10));
    given(inventoryDecider, ...held)
      .when(release(2, 900))
      .then(due);
    given(inventoryDecider, ...held)
      .when(adjust(1, 1, 900))
      .then(due, adjusted(1, 1, 11));
    const other = [...held, reserved(2, [[1, 1]], 1800, 5)];
    given(inventoryDecider, ...other)
      .when(extend(2, 2700, 900))
      .then(released(1, [[1, 4]], 'expired', 9), extended(2, 2700, 9));
    given(inventoryDecider, ...other, confirmed(2, [[1, 1]], 5))
      .when(restock(2, 900))
      .then(released(1, [[1, 4]], 'expired', 9), restocked(2, [[1, 1]], 'returned', 10));
  });

  it('waits for another command where this one is refused', () => {
    given(inventoryDecider, ...held)
      .when(restock(9, 900))
      .thenRefused('reservation-not-found');
    given(inventoryDecider, ...held)
      .when(receive(0, 1, 900))
      .thenRefused('quantity-not-positive');
  });

  it('looks at the clock of the command alone: one that jumps back lets nothing expire', () => {
    given(inventoryDecider, ...held)
      .when(receive(1, 1, -5000))
      .then(received(1, 1, 7));
  });
});

describe('extending a reservation', () => {
  it('moves its end, later only', () => {
    given(inventoryDecider, ...held)
      .when(extend(1, 1800))
      .then(extended(1, 1800, 6));
    given(inventoryDecider, ...held)
      .when(extend(1, 900))
      .thenNothing();
    given(inventoryDecider, ...held)
      .when(extend(1, 60))
      .thenNothing();
  });

  it('counts from then on', () => {
    const longer = [...held, extended(1, 1800, 6)];
    given(inventoryDecider, ...longer)
      .when(expire(900))
      .thenNothing();
    given(inventoryDecider, ...longer)
      .when(expire(1800))
      .then(released(1, [[1, 4]], 'expired', 10));
  });

  it('saves it while others that are due go', () => {
    const others = [ten, reserved(1, [[1, 1]], 600, 9), reserved(2, [[1, 2]], 700, 7), extended(2, 1800, 7)];
    given(inventoryDecider, ...others)
      .when(expire(900))
      .then(released(1, [[1, 1]], 'expired', 8));
  });

  it('saves one that is due but still held', () => {
    given(inventoryDecider, ...held)
      .when(extend(1, 1800, 900))
      .then(extended(1, 1800, 6));
  });

  it('is refused for one that ended or is unknown', () => {
    given(inventoryDecider, ...held, released(1, [[1, 4]], 'expired', 10))
      .when(extend(1, 1800, 900))
      .thenRefused('reservation-not-found');
    given(inventoryDecider, ...held, confirmed(1, [[1, 4]], 6))
      .when(extend(1, 1800))
      .thenRefused('reservation-not-found');
    given(inventoryDecider, ...held)
      .when(extend(2, 1800))
      .thenRefused('reservation-not-found');
  });
});

describe('confirming a reservation', () => {
  it('takes it out of the stock, once', () => {
    const sold = confirmed(1, [[1, 4]], 6);
    given(inventoryDecider, ...held)
      .when(confirm(1))
      .then(sold);
    given(inventoryDecider, ...held, sold)
      .when(confirm(1))
      .thenNothing();
  });

  it('is good when it is overdue but still held; strangers that are due go', () => {
    given(inventoryDecider, ...held)
      .when(confirm(1, 5000))
      .then(confirmed(1, [[1, 4]], 6));
    given(inventoryDecider, ...held, reserved(2, [[1, 1]], 600, 5))
      .when(confirm(1, 5000))
      .then(released(2, [[1, 1]], 'expired', 6), confirmed(1, [[1, 4]], 6));
  });

  it('fails visibly when it has lapsed, was released or was undone', () => {
    given(inventoryDecider, ...held, released(1, [[1, 4]], 'expired', 10))
      .when(confirm(1))
      .then(lapsed(1, 10));
    given(inventoryDecider, ...held, released(1, [[1, 4]], 'cancelled', 10))
      .when(confirm(1))
      .then(lapsed(1, 10));
    given(inventoryDecider, ...held, confirmed(1, [[1, 4]], 6), restocked(1, [[1, 4]], 'confirmation_undone', 10))
      .when(confirm(1))
      .then(lapsed(1, 10));
  });
});

describe('releasing a reservation', () => {
  it('frees its stock, once', () => {
    const gone = released(1, [[1, 4]], 'payment_failed', 10);
    given(inventoryDecider, ...held)
      .when(release(1, 0, 'payment_failed'))
      .then(gone);
    given(inventoryDecider, ...held, gone)
      .when(release(1))
      .thenNothing();
  });

  it('that is due says so: it expired', () => {
    given(inventoryDecider, ...held)
      .when(release(1, 900))
      .then(released(1, [[1, 4]], 'expired', 10));
    given(inventoryDecider, ...held, released(1, [[1, 4]], 'expired', 10))
      .when(release(1, 900))
      .thenNothing();
  });

  it('undoes a confirmation that the caller had not heard of, once', () => {
    const undone = restocked(1, [[1, 4]], 'confirmation_undone', 10);
    given(inventoryDecider, ...held, confirmed(1, [[1, 4]], 6))
      .when(release(1))
      .then(undone);
    given(inventoryDecider, ...held, confirmed(1, [[1, 4]], 6), undone)
      .when(release(1))
      .thenNothing();
  });
});

describe('restocking', () => {
  it('puts confirmed stock back, once', () => {
    const back = restocked(1, [[1, 4]], 'confirmation_undone', 10);
    given(inventoryDecider, ...held, confirmed(1, [[1, 4]], 6))
      .when(restock(1, 0, 'confirmation_undone'))
      .then(back);
    given(inventoryDecider, ...held, confirmed(1, [[1, 4]], 6), back)
      .when(restock(1))
      .thenNothing();
  });

  it('is refused for what was not confirmed', () => {
    given(inventoryDecider, ...held)
      .when(restock(1))
      .thenRefused('reservation-not-found');
    given(inventoryDecider, ...held, released(1, [[1, 4]], 'cancelled', 10))
      .when(restock(1))
      .thenRefused('reservation-not-found');
    given(inventoryDecider, ten).when(restock(1)).thenRefused('reservation-not-found');
  });
});
