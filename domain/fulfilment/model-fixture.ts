import type { Command, Decider, DomainEvent } from '../core/decider.js';
import { DomainError } from '../core/domain-error.js';
import { eventCatalog } from '../event-catalog.js';
import { inventoryDecider } from '../inventory/inventory.js';
import type { InventoryEvent } from '../inventory/inventory-events.js';
import { orderDecider } from '../order/order.js';
import type { OrderEvent } from '../order/order-events.js';
import { paymentDecider } from '../payment/payment.js';
import type { PaymentEvent } from '../payment/payment-events.js';
import {
  acknowledge,
  acknowledgeRefusal,
  charged,
  type Dispatch,
  type ProcessInput,
  type ProcessPolicy,
  refunded,
  unanswered,
} from './dispatch.js';
import { fulfilmentDecider } from './fulfilment.js';
import type { FulfilmentEvent } from './fulfilment-events.js';
import { nextSteps } from './next-steps.js';
import {
  at,
  deriveId,
  input as inputAt,
  type Line,
  orderCreated,
  orderId,
  secondsAt,
  stockItem,
  variantId,
  warehouse_id,
} from './process-fixture.js';
import { evolveProcess, initialProcess, type ProcessState } from './process-state.js';
import { type Script, ScriptedProvider } from './provider-fixture.js';
import { recallPayment, recallStock } from './recall.js';
import { wakeAt } from './standing.js';

// A model of the process manager: the real deciders in memory, a provider that follows a script, and processes that
// crash. What is thrown away in a crash is rebuilt from the streams alone.

const deciders = {
  order: orderDecider,
  inventory: inventoryDecider,
  payment: paymentDecider,
  fulfilment: fulfilmentDecider,
};
type Category = keyof typeof deciders;
export type LoggedEvent = OrderEvent | InventoryEvent | PaymentEvent | FulfilmentEvent;
type AnyDecider = Decider<unknown, Command, LoggedEvent>;
interface Stream {
  readonly events: LoggedEvent[];
  /** What a command that was accepted led to, by its id. */
  readonly answers: Map<string, readonly LoggedEvent[]>;
  state: unknown;
}

/** How a dispatch goes wrong: before or after its effect, with or without the process dying of it. */
export type Fault = 'none' | 'crash before' | 'crash after' | 'error before' | 'error after';
export const faults: readonly Fault[] = ['none', 'crash before', 'crash after', 'error before', 'error after'];
export interface Placed {
  readonly name: string;
  readonly lines: readonly Line[];
  readonly price?: number;
  readonly script: Script;
}

/** The log, and the provider's ledger. */
export class World extends ScriptedProvider {
  readonly log: LoggedEvent[] = [];
  private readonly streams = new Map<string, Stream>();
  /** When an event was recorded, in seconds. */
  readonly toldAt = new Map<LoggedEvent, number>();
  seconds = 0;

  constructor(private readonly policy: Partial<ProcessPolicy> = {}) {
    super();
  }

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
      this.toldAt.set(event, this.seconds);
    }
    if (events.length > 0) stream.answers.set(commandId, events);
    return [...events];
  }

  get input(): ProcessInput {
    return inputAt(this.seconds, this.policy);
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

  /** The customer pays with another card. @returns whether an attempt began */
  retry(order_id: string): boolean {
    const payment_id = deriveId('payment', order_id);
    const data = { payment_id, order_id, payment_method: 'pm_card_mastercard' };
    try {
      this.handle('payment', payment_id, { type: 'RetryPayment', data, metadata: this.metadata });
      return true;
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return false;
    }
  }

  /** The provider tells of money it took; the log may have heard already. */
  webhook(order_id: string): boolean {
    const payment_id = deriveId('payment', order_id);
    const known = this.state('payment', payment_id).captures;
    const [capture] = [...this.captures.values()].filter(
      (one) => one.order_id === order_id && known[one.attempt] === undefined,
    );
    if (capture === undefined) return false;
    const how = { transaction_id: 'TXN', payment_method: 'card', provider: 'stripe' };
    const ref = {
      payment_id,
      order_id,
      attempt: capture.attempt,
      provider_transaction_id: capture.tx,
      amount: capture.amount,
    };
    const command = { type: 'RecordPaymentSuccess', data: { ...ref, ...how }, metadata: this.metadata };
    this.handle('payment', payment_id, command);
    return true;
  }
}

/** One order's process, as the process manager runs it. */
export class Process {
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
        this.state = evolveProcess(this.state, event, deriveId(stream, i), at(this.world.toldAt.get(event) ?? 0));
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
    if (this.pending.length === 0) this.pending = [...nextSteps(this.state, this.world.input)];
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
      this.state = acknowledgeRefusal(this.state, dispatch, error.code);
      this.catchUp();
      this.refusals = this.state === before ? this.refusals + 1 : this.refusals;
      if (this.refusals >= 3) throw new Error(`parked at ${dispatch.target} ${dispatch.step}: ${error.code}`);
    }
    if (fault === 'crash after') this.crash();
    return true;
  }

  private execute(dispatch: Dispatch, isHeard: boolean): void {
    if (dispatch.target === 'provider') {
      if (dispatch.step === 'charge') {
        const outcome = this.world.charge(dispatch.charge);
        this.state = isHeard ? charged(this.state, dispatch, outcome) : unanswered(this.state, dispatch);
      } else {
        const outcome = this.world.refund(dispatch);
        this.state = isHeard ? refunded(this.state, dispatch, outcome) : unanswered(this.state, dispatch);
      }
    } else {
      const commandId = [this.id, dispatch.target, dispatch.step, dispatch.id, dispatch.attempt].join(' ');
      const events = this.world.handle(dispatch.target, dispatch.id, dispatch.command, commandId);
      if (!isHeard) return;
      const ids = events.map((_, i) => deriveId(commandId, i));
      this.state = acknowledge(this.state, dispatch, events, ids);
      // What the answer told is known; what came before it must be heard before the next choice is made.
      const stream = `${dispatch.target}-${dispatch.id}`;
      const seen = this.seen.get(stream) ?? 0;
      const last = this.world.stream(stream).events.indexOf(events.at(-1) as LoggedEvent) + 1;
      if (events.length > 0 && last - events.length === seen) this.seen.set(stream, last);
      else this.catchUp();
    }
    this.refusals = 0;
  }
}

export function place(world: World, { name, lines, price, script }: Placed): Process {
  const { data } = orderCreated(name, lines, price);
  world.handle('order', data.order_id, { type: 'PlaceOrder', data, metadata: world.metadata });
  world.scripts.set(data.order_id, script);
  return new Process(world, data.order_id);
}

/** Lets everything run to its end without further faults. */
export function settle(world: World, processes: readonly Process[], webhooks: 'late webhooks' | 'no webhooks'): void {
  for (let round = 0; round < 200; round += 1) {
    let busy = false;
    for (const process of processes) {
      process.catchUp();
      busy = process.step() || busy;
      const tells = webhooks === 'late webhooks' || world.scripts.get(process.id) === 'declined and taken';
      if (tells && process.state.ended !== undefined && world.webhook(process.id)) {
        process.crash();
        busy = true;
      }
    }
    if (busy) {
      world.seconds += 1;
      continue;
    }
    const next = processes.map(({ state }) => wakeAt(state, world.input)).filter((time) => time !== undefined);
    if (next.length === 0) return;
    world.seconds = Math.max(world.seconds + 1, Math.min(...next.map(secondsAt)));
  }
  throw new Error('the orders do not come to an end');
}
