import { DomainError } from '../../domain/core/domain-error.js';
import { DecodeError } from '../../domain/core/event-codec.js';
import {
  acknowledge,
  acknowledgeRefusal,
  charged,
  type Dispatch,
  type ProcessInput,
  refunded,
  unanswered,
} from '../../domain/fulfilment/dispatch.js';
import { fulfilmentStream } from '../../domain/fulfilment/fulfilment-events.js';
import { nextSteps } from '../../domain/fulfilment/next-steps.js';
import {
  evolveProcess,
  initialProcess,
  type ProcessEvent,
  type ProcessState,
} from '../../domain/fulfilment/process-state.js';
import { recallPayment, recallStock } from '../../domain/fulfilment/recall.js';
import { expireOverdue } from '../../domain/fulfilment/reservation-steps.js';
import { wakeAt } from '../../domain/fulfilment/standing.js';
import { orderStream } from '../../domain/order/order-events.js';
import { paymentStream } from '../../domain/payment/payment-events.js';
import type { StoredEvent } from '../../runtime/event-store/event-log.js';
import { failpoint } from '../../runtime/failpoint.js';
import { deriveId } from '../../runtime/ids.js';
import { inParallel } from '../../runtime/in-parallel.js';
import { inventoryAggregate } from '../aggregates.js';
import type { Accepted } from '../handle-command.js';
import { isPassing, type ProcessDeps } from './process-deps.js';
import { type CommandStep, type Flow, sendStep } from './send-step.js';

/**
 * How a run ended: everything is done, it waits for news or a time, the provider gives no answer, or it wants to be run
 * again after a pause.
 */
export type RunOutcome = 'ended' | 'waiting' | 'silent' | 'again' | 'parked';

/** Whether an event tells nothing new. */
export type Known = (stored: StoredEvent) => boolean;

const parallelSteps = 64;
const refusalsUntilParked = 3;
const faultsUntilParked = 5;

/** One order's fulfilment in memory: what is known of it, and how to carry it on. */
export class OrderProcess {
  state: ProcessState = initialProcess;
  /** Why it cannot go on, where it cannot. */
  parked: string | undefined;
  /** When it was placed; milliseconds since 1970. */
  since = 0;
  private readonly seen = new Map<string, bigint>();
  private correlationId: string;
  private cause: string | undefined;
  private userId: string | undefined;
  private refusals = 0;
  private faults = 0;

  constructor(
    readonly orderId: string,
    private readonly deps: ProcessDeps,
  ) {
    this.correlationId = orderId;
  }

  /** Whether an event tells nothing new. */
  knows(stored: StoredEvent): boolean {
    return stored.revision <= (this.seen.get(stored.stream) ?? -1n);
  }

  /** Tells later what is known now; it holds nothing else of the order, which may have thousands of lines. */
  memory(): Known {
    const seen = new Map(this.seen);
    return (stored) => stored.revision <= (seen.get(stored.stream) ?? -1n);
  }

  /** Takes in an event of the order, its payment or its fulfilment; one that is known already changes nothing. */
  take(stored: StoredEvent): void {
    if (this.knows(stored)) return;
    const { catalog } = this.deps;
    try {
      const event = catalog.decode(stored.type, Number(stored.metadata['event_version']), stored.data) as ProcessEvent;
      this.state = evolveProcess(this.state, event, stored.id, String(stored.metadata['occurred_at']));
      if (event.type === 'order.created') {
        this.correlationId = String(stored.metadata['$correlationId']);
        this.since = Date.parse(String(stored.metadata['occurred_at']));
        const userId = stored.metadata['user_id'];
        if (typeof userId === 'string') this.userId = userId;
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      if (error.code !== 'event-type-unknown') this.park(`${stored.type} at ${stored.revision}: ${error.code}`);
    }
    this.seen.set(stored.stream, stored.revision);
    this.cause = stored.id;
  }

  /**
   * Reads everything that the log says about the order, and where its reservations stand.
   *
   * @param deadline until when its payment is waited for, where this process knows that better than the log
   */
  async recall(deadline?: string): Promise<void> {
    await this.catchUp(true);
    if (this.state.order === undefined || this.state.ended !== undefined) return;
    const variants = [...this.state.stock].map(([variantId]) => variantId);
    await inParallel(variants, parallelSteps, async (variantId) => {
      const { state } = await this.deps.commands.load(inventoryAggregate, variantId);
      this.state = recallStock(this.state, variantId, state, { deriveId });
    });
    this.state =
      deadline === undefined
        ? recallPayment(this.state, this.deps.clock().toISOString())
        : { ...this.state, payment: { ...this.state.payment, deadline } };
  }

  private async catchUp(all = false): Promise<void> {
    const streams = [orderStream(this.orderId), paymentStream(deriveId('payment', this.orderId))];
    if (all) streams.push(fulfilmentStream(this.orderId));
    for (const stream of streams) {
      const from = (this.seen.get(stream) ?? -1n) + 1n;
      for await (const stored of this.deps.eventLog.readStream(stream, from)) this.take(stored);
    }
  }

  /**
   * Does what is to be done until nothing is left or something must be waited for.
   *
   * @param stop asked between steps
   */
  async run(stop: () => boolean): Promise<RunOutcome> {
    let isSilent = false;
    while (!stop()) {
      if (this.parked !== undefined) return 'parked';
      const wanted = nextSteps(this.state, this.input());
      const steps = isSilent ? wanted.filter(({ target }) => target !== 'provider') : wanted;
      if (steps.length === 0) {
        if (wanted.length > 0) return 'silent';
        return this.state.ended !== undefined && this.wakeAt() === undefined ? 'ended' : 'waiting';
      }
      let again = false;
      await inParallel(steps, parallelSteps, async (step) => {
        const done = await this.dispatch(step);
        if (!done && step.target === 'provider' && this.faults === 0) isSilent = true;
        else if (!done) again = true;
      });
      if (again) return 'again';
    }
    return 'again';
  }

  /** Releases what is overdue of an order that cannot go on: its stock is not kept from others for that. */
  async expireParked(): Promise<void> {
    const overdue = expireOverdue(this.state, this.input());
    await inParallel(overdue, parallelSteps, async (step) => void (await this.dispatch(step)));
  }

  /** When it has something to do though nothing is heard; milliseconds since 1970. */
  wakeAt(): number | undefined {
    const time = wakeAt(this.state, this.input());
    return time === undefined ? undefined : Date.parse(time);
  }

  private flow(): Flow {
    const { orderId, correlationId, cause: causationId, userId } = this;
    return { orderId, correlationId, causationId, userId };
  }

  private input(): ProcessInput {
    const { clock, policy, provider } = this.deps;
    return { now: clock().toISOString(), policy: { ...policy, provider: provider.name }, deriveId };
  }

  /** Gives the order up until the next start; everybody can see that it is. */
  park(reason: string): void {
    this.parked = reason;
    this.deps.log.error('order parked', { orderId: this.orderId, reason });
  }

  /** @returns false where the step could not be done now */
  private async dispatch(step: Dispatch): Promise<boolean> {
    try {
      if (step.target === 'provider') await this.askProvider(step);
      else await this.acknowledge(step, await sendStep(this.deps.commands, step, this.flow()));
      this.refusals = 0;
      this.faults = 0;
      return true;
    } catch (error) {
      if (!(error instanceof DomainError)) {
        if (!isPassing(error)) this.faults += 1;
        if (this.faults >= faultsUntilParked) this.park(`${step.target} ${step.step}: ${String(error)}`);
        this.deps.log.warn('fulfilment step will be tried again', {
          orderId: this.orderId,
          step: step.step,
          // A log that does not answer is met by every step of every order at once: a stack of each would hold it up more.
          ...(isPassing(error) ? { because: String(error) } : { err: error }),
        });
        return false;
      }
      // Somebody else has moved the order: see how it stands, and choose anew.
      const before = this.state;
      this.state = acknowledgeRefusal(this.state, step, error.code);
      await this.catchUp();
      if (this.state === before) this.refusals += 1;
      if (this.refusals >= refusalsUntilParked) this.park(`${step.target} ${step.step}: ${error.code}`);
      return this.refusals === 0;
    }
  }

  private async askProvider(step: Extract<Dispatch, { target: 'provider' }>): Promise<void> {
    const { provider } = this.deps;
    try {
      if (step.step === 'charge') {
        const outcome = await provider.charge(step.charge);
        failpoint('charge-answered');
        this.state = charged(this.state, step, outcome);
        return;
      }
      const outcome = await provider.refund(step.refund);
      failpoint('refund-answered');
      this.state = refunded(this.state, step, outcome);
      if (outcome.kind === 'refused') {
        this.deps.log.error('refund refused, money is owed', { orderId: this.orderId, reason: outcome.reason });
      }
    } catch (error) {
      this.state = unanswered(this.state, step);
      throw error;
    }
  }

  private async acknowledge(step: CommandStep, accepted: Accepted): Promise<void> {
    const { events, eventIds, revision } = accepted;
    this.state = acknowledge(this.state, step, events as readonly ProcessEvent[], eventIds);
    this.cause = eventIds.at(-1) ?? this.cause;
    if (step.target === 'inventory') return;
    // True already: somebody else has told it, and may have told more since.
    if (events.length === 0) return step.target === 'payment' ? this.catchUp() : undefined;
    const stream = `${step.target}-${step.id}`;
    const before = revision - BigInt(events.length);
    const seen = this.seen.get(stream) ?? -1n;
    if (before === seen) this.seen.set(stream, revision);
    // Somebody else has written in between: what it was counts before the next step does.
    else if (before > seen) await this.catchUp(step.target === 'fulfilment');
  }
}
