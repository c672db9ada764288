import { expect } from 'chai';
import fc from 'fast-check';
import type { Command, Decider, DomainEvent } from '../core/decider.js';
import { DomainError } from '../core/domain-error.js';
import { eventCatalog } from '../event-catalog.js';
import { inventoryDecider } from '../inventory/inventory.js';
import type { InventoryEvent } from '../inventory/inventory-events.js';
import { orderDecider } from '../order/order.js';
import type { OrderEvent } from '../order/order-events.js';
import { paymentDecider } from '../payment/payment.js';
import type { PaymentEvent } from '../payment/payment-events.js';
import { acknowledge, type Dispatch } from './dispatch.js';
import { fulfilmentDecider } from './fulfilment.js';
import type { FulfilmentEvent } from './fulfilment-events.js';
import { nextSteps } from './next-steps.js';
import {
  at,
  deriveId,
  input as inputAt,
  type Line,
  minutes,
  orderCreated,
  orderId,
  stockItem,
  variantId,
  warehouse_id,
} from './process-fixture.js';
import { evolveProcess, initialProcess, type ProcessState } from './process-state.js';
import { recallPayment, recallStock } from './recall.js';

// A model of the process manager: the real deciders in memory, a provider that follows a script, and processes that
// crash. What is thrown away in a crash is rebuilt from the streams alone.

const deciders = {
  order: orderDecider,
  inventory: inventoryDecider,
  payment: paymentDecider,
  fulfilment: fulfilmentDecider,
};
type Category = keyof typeof deciders;
type LoggedEvent = OrderEvent | InventoryEvent | PaymentEvent | FulfilmentEvent;
type AnyDecider = Decider<unknown, Command, LoggedEvent>;
interface Stream {
  readonly events: LoggedEvent[];
  /** What a command that was accepted led to, by its id. */
  readonly answers: Map<string, readonly LoggedEvent[]>;
  state: unknown;
}

/** How a dispatch goes wrong: before or after its effect, with or without the process dying of it. */
type Fault = 'none' | 'crash before' | 'crash after' | 'error before' | 'error after';
const faults: readonly Fault[] = ['none', 'crash before', 'crash after', 'error before', 'error after'];
type Script = 'captured' | 'declined' | 'refund refused';

interface Placed {
  readonly name: string;
  readonly lines: readonly Line[];
  readonly price?: number;
  readonly script: Script;
}

/** The log, and the provider's ledger. */
class World {
  readonly log: LoggedEvent[] = [];
  private readonly streams = new Map<string, Stream>();
  readonly captures = new Map<string, { order_id: string; amount: number; tx: string }>();
  readonly refunds = new Map<string, { order_id: string; amount: number }>();
  readonly scripts = new Map<string, Script>();
  seconds = 0;

  stream(stream: string): Stream {
    const category = stream.slice(0, stream.indexOf('-')) as Category;
    const known = this.streams.get(stream) ?? {
      events: [],
      answers: new Map(),
      state: (deciders[category] as unknown as AnyDecider).initialState,
    };
    this.streams.set(stream, known);
    return known;
  }

  state<C extends Category>(category: C, id: string): (typeof deciders)[C]['initialState'] {
    return this.stream(`${category}-${id}`).state as (typeof deciders)[C]['initialState'];
  }

  /** A command that was accepted is answered from its own events, without what it told of strangers. */
  handle(category: Category, id: string, command: Command, commandId = `other ${this.log.length}`): LoggedEvent[] {
    const name = `${category}-${id}`;
    const stream = this.stream(name);
    const before = stream.answers.get(commandId);
    if (before !== undefined) {
      const own = (command.data as { order_id?: string }).order_id;
      return before.filter(({ data }) => !('order_id' in data) || data.order_id === own);
    }
    const decider = deciders[category] as unknown as AnyDecider;
    const events = decider.decide(command, stream.state);
    for (const event of events) {
      eventCatalog.encode(event as DomainEvent);
      stream.state = decider.evolve(stream.state, event);
      stream.events.push(event);
      this.log.push(event);
    }
    if (events.length > 0) stream.answers.set(commandId, events);
    return [...events];
  }

  get metadata() {
    return { now: at(this.seconds) };
  }

  receive(variant: string, quantity: number) {
    const data = { ...stockItem(variant), warehouse_id, quantity };
    this.handle('inventory', variantId(variant), { type: 'ReceiveStock', data, metadata: this.metadata });
  }

  /** Somebody else buys what is free. */
  buyOut(variant: string) {
    const { metadata } = this;
    const id = variantId(variant);
    this.handle('inventory', id, { type: 'ExpireReservations', data: stockItem(variant), metadata });
    const quantity = this.state('inventory', id).available;
    if (quantity === 0) return;
    const rival = String(this.log.length);
    const ref = { reservation_id: deriveId('rival', rival), order_id: orderId(`rival ${rival}`) };
    const data = {
      ...stockItem(variant),
      ...ref,
      quantity,
      expires_at: at(this.seconds + 900),
      low_stock_threshold: 0,
    };
    this.handle('inventory', id, { type: 'ReserveStock', data, metadata });
    this.handle('inventory', id, { type: 'ConfirmReservation', data: { ...stockItem(variant), ...ref }, metadata });
  }

  cancel(order_id: string) {
    const data = { order_id, by: 'user', reason: 'changed my mind' };
    try {
      this.handle('order', order_id, { type: 'CancelOrder', data, metadata: this.metadata });
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
    }
  }

  /** The provider tells of money it took; the log may have heard already. */
  webhook(order_id: string): boolean {
    const capture = [...this.captures.values()].find((one) => one.order_id === order_id);
    const payment_id = deriveId('payment', order_id);
    if (capture === undefined || this.state('payment', payment_id).status === 'captured') return false;
    const how = { transaction_id: 'TXN', payment_method: 'card', provider: 'stripe' };
    const ref = { payment_id, order_id, attempt: 1, provider_transaction_id: capture.tx, amount: capture.amount };
    const command = { type: 'RecordPaymentSuccess', data: { ...ref, ...how }, metadata: this.metadata };
    this.handle('payment', payment_id, command);
    return true;
  }

  askProvider(step: Extract<Dispatch, { target: 'provider' }>): Partial<ProcessState['payment' | 'refund']> {
    if (step.step === 'charge') {
      const { provider_key, order_id, amount } = step.charge;
      if (this.scripts.get(order_id) === 'declined') {
        return { outcome: { kind: 'declined', reason: 'card_declined', retryable: true } };
      }
      const tx = `pi_${provider_key}`;
      this.captures.set(provider_key, { order_id, amount, tx });
      return { outcome: { kind: 'captured', provider_transaction_id: tx, payment_method: 'card' } };
    }
    const { provider_key, order_id, amount } = step.refund;
    if (this.scripts.get(order_id) === 'refund refused') return { outcome: { kind: 'refused', reason: 'disputed' } };
    this.refunds.set(provider_key, { order_id, amount });
    return { outcome: { kind: 'refunded', provider_refund_id: `re_${provider_key}` } };
  }
}

/** One order's process, as the process manager runs it. */
class Process {
  state: ProcessState = initialProcess;
  readonly done: string[] = [];
  private seen = new Map<string, number>();
  private pending: Dispatch[] = [];
  private refusals = 0;

  constructor(
    readonly world: World,
    readonly id: string,
  ) {
    this.catchUp();
  }

  /** Takes in what is new of the order and its payment. */
  catchUp(all = false): void {
    const streams = [`order-${this.id}`, `payment-${deriveId('payment', this.id)}`];
    if (all) streams.push(`fulfilment-${this.id}`);
    for (const stream of streams) {
      const events = this.world.stream(stream).events;
      for (const [i, event] of events.entries()) {
        if (i < (this.seen.get(stream) ?? 0)) continue;
        this.state = evolveProcess(this.state, event, deriveId(stream, i));
      }
      this.seen.set(stream, events.length);
    }
  }

  crash(): void {
    this.state = initialProcess;
    this.seen = new Map();
    this.pending = [];
    this.refusals = 0;
    this.catchUp(true);
    if (this.state.order === undefined || this.state.ended !== undefined) return;
    this.state = recallPayment(this.state, at(this.world.seconds));
    for (const [id] of this.state.stock) {
      this.state = recallStock(this.state, id, this.world.state('inventory', id), { deriveId });
    }
  }

  /** Carries out one dispatch. @returns whether there was one */
  step(fault: Fault = 'none', pick = 0): boolean {
    if (this.pending.length === 0) this.pending = [...nextSteps(this.state, inputAt(this.world.seconds))];
    const [dispatch] = this.pending.splice(pick % Math.max(1, this.pending.length), 1);
    if (dispatch === undefined) return false;
    if (fault === 'crash before') this.crash();
    if (fault === 'crash before' || fault === 'error before') return true;
    this.done.push(`${dispatch.target} ${dispatch.step}`);
    try {
      this.execute(dispatch, fault === 'none');
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      const before = this.state;
      this.catchUp();
      this.refusals = this.state === before ? this.refusals + 1 : this.refusals;
      if (this.refusals >= 3) throw new Error(`parked at ${dispatch.target} ${dispatch.step}: ${error.code}`);
    }
    if (fault === 'crash after') this.crash();
    return true;
  }

  private execute(dispatch: Dispatch, answered: boolean): void {
    if (dispatch.target === 'provider') {
      const outcome = this.world.askProvider(dispatch);
      const about = dispatch.step === 'charge' ? 'payment' : 'refund';
      if (answered) this.state = { ...this.state, [about]: { ...this.state[about], ...outcome } };
    } else {
      const commandId = [this.id, dispatch.target, dispatch.step, dispatch.id, dispatch.attempt].join(' ');
      const events = this.world.handle(dispatch.target, dispatch.id, dispatch.command, commandId);
      if (!answered) return;
      const ids = events.map((_, i) => deriveId(commandId, i));
      this.state = acknowledge(this.state, dispatch, events, ids);
      // What the answer told is known; what came between is heard of later.
      const stream = `${dispatch.target}-${dispatch.id}`;
      const seen = this.seen.get(stream) ?? 0;
      const last = this.world.stream(stream).events.indexOf(events.at(-1) as LoggedEvent) + 1;
      if (events.length > 0 && last - events.length === seen) this.seen.set(stream, last);
    }
    this.refusals = 0;
  }
}

function place(world: World, { name, lines, price, script }: Placed): Process {
  const { data } = orderCreated(name, lines, price);
  world.handle('order', data.order_id, { type: 'PlaceOrder', data, metadata: world.metadata });
  world.scripts.set(data.order_id, script);
  return new Process(world, data.order_id);
}

/** Lets everything run to its end without further faults. */
function settle(world: World, processes: readonly Process[], webhooks: 'late webhooks' | 'no webhooks'): void {
  for (let round = 0; round < 200; round += 1) {
    let busy = false;
    for (const process of processes) {
      process.catchUp();
      busy = process.step() || busy;
      if (webhooks === 'late webhooks' && process.state.ended !== undefined && world.webhook(process.id)) {
        process.crash();
        busy = true;
      }
    }
    if (!busy) return;
    world.seconds += 1;
  }
  throw new Error('the orders do not come to an end');
}

const sum = (amounts: readonly number[]) => amounts.reduce((total, amount) => total + amount, 0);

/** What must hold when all is done, for every order and for all stock. */
function audit(world: World, processes: readonly Process[], received: Readonly<Record<string, number>>): void {
  const sold = new Map<string, number>();
  for (const { id, done } of processes) {
    const order = world.state('order', id);
    const own = world.stream(`fulfilment-${id}`).events;
    const ends = own.filter(({ type }) => type === 'fulfilment.ended').map(({ data }) => data);
    const how = `order ${order.status} after ${done.join(', ')}`;
    expect(ends, how).to.deep.equal([{ order_id: id, outcome: order.status }]);
    const ownTypes = own.map((event) => (event.type === 'fulfilment.step_taken' ? event.data.step : event.type));
    expect(new Set(ownTypes).size, how).to.equal(ownTypes.length);

    const captures = [...world.captures.values()].filter(({ order_id }) => order_id === id);
    const refunds = [...world.refunds.values()].filter(({ order_id }) => order_id === id);
    expect(captures.length, how).to.be.at.most(1);
    expect(refunds.length, how).to.be.at.most(1);
    const atProvider = sum(captures.map(({ amount }) => amount)) - sum(refunds.map(({ amount }) => amount));
    const payment = world.stream(`payment-${deriveId('payment', id)}`).events;
    const inLog = sum(
      payment.map((event) => {
        if (event.type === 'payment.success') return event.data.amount;
        return event.type === 'payment.refunded' ? -event.data.amount : 0;
      }),
    );
    expect(inLog, how).to.equal(atProvider);
    if (order.status === 'confirmed') expect(atProvider, how).to.equal(order.total);
    else if (payment.some(({ type }) => type === 'payment.refund_failed'))
      expect(atProvider, how).to.equal(order.total);
    else expect(atProvider, how).to.equal(0);
    if (order.status !== 'confirmed') continue;
    for (const { variant_id, quantity } of order.items) sold.set(variant_id, (sold.get(variant_id) ?? 0) + quantity);
  }
  for (const [variant, quantity] of Object.entries(received)) {
    if (quantity === 0) continue;
    const id = variantId(variant);
    const { events } = world.stream(`inventory-${id}`);
    expect(Math.min(...events.map(({ data }) => ('available' in data ? data.available : -1)))).to.be.at.least(0);
    let rivals = 0;
    for (const event of events) {
      if (event.type !== 'inventory.confirmed' || world.scripts.has(event.data.order_id)) continue;
      rivals += sum(event.data.reservations.map((part) => part.quantity));
    }
    const { open, available } = world.state('inventory', id);
    expect(open.size, `open reservations of ${variant}`).to.equal(0);
    expect(available, `stock of ${variant}`).to.equal(quantity - rivals - (sold.get(id) ?? 0));
  }
}

/** In the log, what is undone of one order comes in reverse: restocked, refunded, released, failed. */
function expectUndoneInReverse(world: World, id: string): void {
  const rank = (event: LoggedEvent): number => {
    if (!('order_id' in event.data) || event.data.order_id !== id) return 0;
    if (event.type === 'inventory.restocked') return 1;
    if (event.type === 'payment.refunded' || event.type === 'payment.refund_failed') return 2;
    if (event.type === 'inventory.released' && event.data.reason !== 'expired') return 3;
    return event.type === 'order.failed' ? 4 : event.type === 'fulfilment.ended' ? 5 : 0;
  };
  const ranks = world.log.map(rank).filter((n) => n > 0);
  const ended = ranks.indexOf(5);
  const before = ended === -1 ? ranks : ranks.slice(0, ended);
  expect(before).to.deep.equal([...before].sort((a, b) => a - b));
}

const two: readonly Line[] = [
  { variant: 'mug', quantity: 1 },
  { variant: 'cup', quantity: 2 },
];

describe('a process that crashes at every point', () => {
  interface Happening {
    readonly script: Script;
    readonly stock: Readonly<Record<string, number>>;
    readonly price?: number;
    /** Happens before the n-th dispatch. */
    readonly cancelAt?: number;
    readonly jump?: number;
    readonly buyOut?: readonly string[];
  }
  const plenty = { mug: 5, cup: 5 };
  const scarce = { mug: 1, cup: 2 };
  const cases: Record<string, Happening> = {
    'that succeeds': { script: 'captured', stock: plenty },
    'of an order that costs nothing': { script: 'captured', stock: plenty, price: 0 },
    'whose card is declined': { script: 'declined', stock: plenty },
    'whose stock is refused': { script: 'captured', stock: { mug: 1, cup: 1 } },
    'while its reservations lapse': { script: 'captured', stock: scarce, jump: 16 * minutes },
    'while one line lapses and is sold': { script: 'captured', stock: scarce, jump: 16 * minutes, buyOut: ['cup'] },
    'while all lapse and are sold': { script: 'captured', stock: scarce, jump: 16 * minutes, buyOut: ['mug', 'cup'] },
    'while payment times out': { script: 'declined', stock: plenty, jump: 11 * minutes },
    'whose refund is refused': {
      script: 'refund refused',
      stock: scarce,
      jump: 16 * minutes,
      buyOut: ['mug'],
    },
  };
  const run = (happening: Happening, plan: (n: number) => Fault, cancelAt?: number): Process => {
    const world = new World();
    for (const [variant, quantity] of Object.entries(happening.stock)) world.receive(variant, quantity);
    const { price, script } = happening;
    const process = place(world, { name: 'a', lines: two, script, ...(price === undefined ? {} : { price }) });
    let jumped = false;
    for (let n = 0; n < 60; n += 1) {
      if (n === cancelAt) {
        world.cancel(process.id);
        process.catchUp();
      }
      const fault = plan(n);
      const busy = process.step(fault);
      if (fault !== 'none' && !jumped && happening.jump !== undefined) {
        jumped = true;
        world.seconds += happening.jump;
        for (const variant of happening.buyOut ?? []) world.buyOut(variant);
        if (fault.startsWith('crash')) process.crash();
      }
      if (!busy) break;
    }
    settle(world, [process], 'no webhooks');
    audit(world, [process], happening.stock);
    expectUndoneInReverse(world, process.id);
    return process;
  };

  for (const [what, happening] of Object.entries(cases)) {
    it(`${what}, once and twice`, () => {
      const length = run(happening, () => 'none').done.length + 6;
      for (const fault of ['crash before', 'crash after'] as const) {
        for (let first = 0; first < length; first += 1) {
          run(happening, (n) => (n === first ? fault : 'none'));
          for (let second = first + 1; second < length; second += 1) {
            run(happening, (n) => (n === first || n === second ? fault : 'none'));
          }
        }
      }
    });

    it(`${what}, and is cancelled at every point`, () => {
      const length = run(happening, () => 'none').done.length + 6;
      for (let cancelAt = 0; cancelAt < length; cancelAt += 1) {
        run(happening, () => 'none', cancelAt);
        for (let crashAt = 0; crashAt < length; crashAt += 1) {
          run(happening, (n) => (n === crashAt ? 'crash after' : 'none'), cancelAt);
          run(happening, (n) => (n === crashAt ? 'crash before' : 'none'), cancelAt);
        }
      }
    });
  }
});

describe('any number of orders, under any faults', () => {
  const names = ['a', 'b', 'c'];
  const variants = ['mug', 'cup'];
  const line = fc.record({ variant: fc.constantFrom(...variants), quantity: fc.integer({ min: 1, max: 2 }) });
  const placed = fc.record({
    lines: fc.uniqueArray(line, { minLength: 1, maxLength: 2, selector: ({ variant }) => variant }),
    price: fc.constantFrom(1000, 1000, 1000, 0),
    script: fc.constantFrom<Script>('captured', 'captured', 'captured', 'declined', 'refund refused'),
  });
  const scenario = (possible: readonly Fault[]) =>
    fc.record({
      orders: fc.tuple(placed, placed, placed),
      stock: fc.record({ mug: fc.integer({ min: 0, max: 5 }), cup: fc.integer({ min: 1, max: 5 }) }),
      actions: fc.array(
        fc.oneof(
          {
            weight: 30,
            arbitrary: fc.record({
              do: fc.constant('step' as const),
              order: fc.nat(2),
              // Most steps succeed, else nothing comes to the points where it is interesting.
              fault: fc.oneof(
                { weight: 3, arbitrary: fc.constant<Fault>('none') },
                { weight: 1, arbitrary: fc.constantFrom(...possible) },
              ),
              pick: fc.nat(3),
            }),
          },
          { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), order: fc.nat(2) }) },
          { weight: 2, arbitrary: fc.record({ do: fc.constant('hear' as const), order: fc.nat(2) }) },
          { weight: 2, arbitrary: fc.record({ do: fc.constant('webhook' as const), order: fc.nat(2) }) },
          {
            weight: 2,
            arbitrary: fc.record({
              do: fc.constant('jump' as const),
              minutes: fc.constantFrom(1, 5, 11, 16, -5),
            }),
          },
          {
            weight: 1,
            arbitrary: fc.record({ do: fc.constant('buy out' as const), variant: fc.constantFrom(...variants) }),
          },
        ),
        { minLength: 10, maxLength: 80 },
      ),
    });
  type Scenario = ReturnType<typeof scenario> extends fc.Arbitrary<infer T> ? T : never;

  const play = ({ orders, stock, actions }: Scenario): { world: World; processes: Process[] } => {
    const world = new World();
    for (const [variant, quantity] of Object.entries(stock)) if (quantity > 0) world.receive(variant, quantity);
    const processes = orders.map((order, i) => place(world, { name: names[i] ?? '', ...order }));
    for (const action of actions) {
      const process = 'order' in action ? processes[action.order] : undefined;
      if (action.do === 'step') process?.step(action.fault, action.pick);
      if (action.do === 'hear') process?.catchUp();
      if (action.do === 'cancel' && process !== undefined) world.cancel(process.id);
      if (action.do === 'webhook' && process !== undefined && world.webhook(process.id)) {
        if (process.state.ended !== undefined) process.crash();
      }
      if (action.do === 'jump') world.seconds += action.minutes * minutes;
      if (action.do === 'buy out') world.buyOut(action.variant);
    }
    settle(world, processes, 'late webhooks');
    return { world, processes };
  };

  it('end, and nothing of stock or money is lost, when processes crash', () => {
    fc.assert(
      fc.property(scenario(['none', 'crash before', 'crash after']), (script) => {
        const { world, processes } = play(script);
        audit(world, processes, script.stock);
        for (const { id } of processes) expectUndoneInReverse(world, id);
      }),
      { numRuns: 400 },
    );
  });

  it('end, and nothing is lost but by expiry, when answers are lost as well', () => {
    fc.assert(
      fc.property(scenario(faults), (script) => {
        const { world, processes } = play(script);
        world.seconds += 60 * minutes;
        for (const variant of variants) {
          const command = { type: 'ExpireReservations', data: stockItem(variant), metadata: world.metadata };
          world.handle('inventory', variantId(variant), command);
        }
        audit(world, processes, script.stock);
      }),
      { numRuns: 400 },
    );
  });
});
