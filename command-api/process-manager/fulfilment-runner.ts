import { LRUCache } from 'lru-cache';
import { isRefundOwed } from '../../domain/fulfilment/standing.js';
import type { StoredEvent } from '../../runtime/event-store/event-log.js';
import { type Batch, followLog } from '../../runtime/event-store/follow.js';
import { inParallel } from '../../runtime/in-parallel.js';
import type { Deadlines } from './deadlines.js';
import { type Checkpoint, openCheckpoint } from './fulfilment-checkpoint.js';
import { type FulfilmentStatus, fulfilmentStatus } from './fulfilment-status.js';
import { type Actor, orderActors } from './order-actors.js';
import { type Known, OrderProcess, type RunOutcome } from './order-process.js';
import { isPassing, type ProcessDeps } from './process-deps.js';
import { owedBy, type WaitingOrder, type WaitsFor, waitingOrders } from './waiting-orders.js';

export interface RunnerOptions extends ProcessDeps {
  /** Orders in hand at once; further ones wait in the log. */
  readonly maxOpen?: number;
  /** Orders that may wait for a customer or a silent provider beside them. */
  readonly maxWaiting?: number;
  /** Orders that are worked on at the same time. */
  readonly concurrency?: number;
  readonly checkpointStream?: string;
  /** How often what is overdue is looked for. Milliseconds. */
  readonly sweepMs?: number;
  /** Timers that call `due` when an order's time has come; what they miss the sweep finds. */
  readonly deadlines?: (due: (orderId: string) => void) => Deadlines;
}

export interface FulfilmentRunner {
  status(): FulfilmentStatus;
  /** The log position up to which events were taken in. */
  position(): bigint;
  /** Stores the checkpoint and stops after the steps in hand. */
  close(): Promise<void>;
}

const checkpointMs = 1_000;
const recallLanes = 16;
/** A provider that is silent for longer than this is asked again later, and the order leaves its place to others. */
const patienceMs = 2_000;
const longestSilenceMs = 15_000;

/**
 * Follows orders and payments and carries every open fulfilment on: events of one order in log order, different orders
 * side by side. Two runners at once are safe by ids and revisions, only wasteful.
 */
export async function startFulfilmentRunner(options: RunnerOptions): Promise<FulfilmentRunner> {
  const { eventLog, log, clock, maxOpen = 1_000, maxWaiting = 12_000, concurrency = 128, sweepMs = 5_000 } = options;
  const ended = new LRUCache<string, Known>({ max: 2_000 });
  const waiting = waitingOrders(maxWaiting);
  const recalling = new Map<string, Promise<void>>();
  let closing = false;
  let room: () => void = () => {};

  const rested = (actor: Actor, outcome: RunOutcome, tookMs: number) => {
    const { process } = actor;
    if (outcome === 'ended') {
      actors.remove(actor);
      ended.set(process.orderId, process.memory());
      room();
    } else if (outcome === 'parked') {
      room();
    } else if (outcome === 'waiting') {
      const until = process.wakeAt();
      if (until !== undefined) letWait(actor, isRefundOwed(process.state) ? 'refund' : 'retry', until, 0);
    } else if (outcome === 'silent' && Math.max(tookMs, actor.pauseMs) >= patienceMs && waiting.size < maxWaiting) {
      const pauseMs = Math.min(longestSilenceMs, Math.max(patienceMs, actor.pauseMs * 2));
      const until = Math.min(clock().getTime() + pauseMs, process.wakeAt() ?? Number.POSITIVE_INFINITY);
      letWait(actor, 'provider', until, pauseMs);
    } else {
      actors.again(actor);
    }
  };
  const actors = orderActors({ concurrency, log, rested });

  /** Keeps of an order in hand only when to look at it again. */
  const letWait = (actor: Actor, what: WaitsFor, until: number, pauseMs: number) => {
    const { process } = actor;
    const { orderId, since, state } = process;
    const owed = what === 'refund' ? owedBy(state) : undefined;
    const { deadline } = state.payment;
    waiting.put({ orderId, for: what, until, since, pauseMs, deadline, owed, knows: process.memory() });
    actors.remove(actor);
    if (what !== 'provider') timers?.at(orderId, new Date(until));
    room();
  };

  const recallNow = async (orderId: string, before: bigint | undefined, was: WaitingOrder | undefined) => {
    const process = new OrderProcess(orderId, options);
    try {
      await process.recall(was?.deadline);
      if (process.state.order === undefined && process.parked === undefined) {
        log.warn('a payment of no order', { orderId });
        return;
      }
    } catch (error) {
      // What cannot be read now may be read later; what can never be read parks this order, and no other.
      if (isPassing(error)) throw error;
      process.park(`it cannot be recalled: ${String(error)}`);
    }
    waiting.delete(orderId);
    const start = process.state.started === undefined ? before : undefined;
    actors.schedule(actors.adopt(process, start, was?.pauseMs || undefined));
  };
  /** Takes an order in hand from what the log says of it. */
  const recalled = (orderId: string, before?: bigint, was = waiting.get(orderId)): Promise<void> => {
    let recall = recalling.get(orderId);
    if (recall === undefined) {
      recall = recallNow(orderId, before, was).finally(() => recalling.delete(orderId));
      recalling.set(orderId, recall);
    }
    return recall;
  };

  const wake = async (order: WaitingOrder): Promise<void> => {
    if (closing || actors.all.size >= maxOpen * 2) return;
    // News may have come while it was its turn to come: then it is in hand, and would be so twice.
    if (waiting.get(order.orderId) === undefined) return;
    await recalled(order.orderId, undefined, order).catch((err: unknown) => {
      log.warn('an order is looked at later', { orderId: order.orderId, err });
    });
  };
  const due = (orderId: string) => {
    const order = waiting.get(orderId);
    if (order !== undefined && order.until <= clock().getTime()) void wake(order);
  };
  const timers = options.deadlines?.(due);

  const atWork = (): number => {
    let count = 0;
    for (const { process } of actors.all.values()) if (process.parked === undefined) count += 1;
    return count;
  };

  const checkpoints = await openCheckpoint(eventLog, options.checkpointStream ?? 'checkpoint-fulfilment', log);
  const { resumed } = checkpoints;
  // What is older than this start may be well on its way: such orders are recalled from the log, not begun anew.
  const headAtStart = await eventLog.head();
  for (const kind of ['retry', 'silent'] as const) {
    for (const [orderId, until, since] of resumed?.[kind] ?? []) {
      const times = { until: until * 1000, since: since * 1000, pauseMs: 0 };
      waiting.put({ orderId, for: kind === 'retry' ? 'retry' : 'provider', ...times, knows: () => false });
    }
  }
  await inParallel(resumed?.open ?? [], recallLanes, (orderId) => recalled(orderId));

  const takeIn = async (event: StoredEvent, before: bigint): Promise<void> => {
    const orderId = event.data['order_id'];
    if (typeof orderId !== 'string') return;
    await recalling.get(orderId);
    const actor = actors.all.get(orderId);
    if (actor !== undefined) {
      if (actor.process.knows(event)) return;
      actor.process.take(event);
      actors.schedule(actor);
    } else if (waiting.get(orderId) !== undefined) {
      if (waiting.get(orderId)?.knows(event) !== true) await recalled(orderId);
    } else if (event.type === 'order.created') {
      if (ended.has(orderId)) return;
      if (event.position <= headAtStart) return recalled(orderId, before);
      const process = new OrderProcess(orderId, options);
      process.take(event);
      actors.schedule(actors.adopt(process, before));
    } else if (event.type === 'payment.success' || event.type === 'payment.refund_failed') {
      if (ended.get(orderId)?.(event) !== true) await recalled(orderId);
    }
  };

  const follower = followLog(eventLog, {
    after: resumed === undefined ? undefined : BigInt(resumed.position),
    prefixes: ['order-', 'payment-'],
    maxBatch: 256,
    log,
    async handle({ events }: Batch) {
      let before = follower.position();
      for (const event of events) {
        while (actors.all.size >= maxOpen && atWork() >= maxOpen && !closing)
          await new Promise<void>((resolve) => (room = resolve));
        if (closing) throw new Error('closing');
        await takeIn(event, before);
        before = event.position;
      }
    },
  });

  const checkpoint = (): Checkpoint => {
    let position = follower.position();
    const made = { open: [] as string[], retry: [] as Checkpoint['retry'], silent: [] as Checkpoint['silent'] };
    for (const { process, before } of actors.all.values()) {
      if (before === undefined) made.open.push(process.orderId);
      else if (before < position) position = before;
    }
    for (const { orderId, for: kind, until, since } of waiting.values()) {
      if (kind === 'refund') made.open.push(orderId);
      else
        made[kind === 'retry' ? 'retry' : 'silent'].push([orderId, Math.ceil(until / 1000), Math.floor(since / 1000)]);
    }
    return { position: String(position), ...made };
  };
  let storing: Promise<void> | undefined;
  let storedAt = 0;
  const storeCheckpoint = (): Promise<void> => {
    storedAt = Date.now();
    return checkpoints.store(checkpoint()).catch((err: unknown) => log.warn('checkpoint not stored', { err }));
  };
  const checkpointTimer = setInterval(() => {
    // Ten thousand waiting orders make a long checkpoint: it is written the more seldom.
    if (Date.now() - storedAt < waiting.size) return;
    storing ??= storeCheckpoint().finally(() => (storing = undefined));
  }, checkpointMs);

  let sweeping: Promise<void> | undefined;
  const sweep = async (): Promise<void> => {
    const parked = [...actors.all.values()].filter(({ process }) => process.parked !== undefined);
    await inParallel(parked, recallLanes, ({ process }) => process.expireParked());
    await inParallel(waiting.due(clock().getTime()), recallLanes, wake);
  };
  const sweepTimer = setInterval(() => {
    sweeping ??= sweep()
      .catch((err: unknown) => log.warn('the sweep goes on later', { err }))
      .finally(() => (sweeping = undefined));
  }, sweepMs);

  return {
    status: () => {
      const inHand = [...actors.all.values()].map(({ process }) => process);
      return fulfilmentStatus(inHand, waiting.values(), clock().getTime());
    },
    position: () => follower.position(),
    async close() {
      closing = true;
      clearInterval(checkpointTimer);
      clearInterval(sweepTimer);
      room();
      await Promise.all([follower.close(), actors.close(), timers?.close(), sweeping]);
      await Promise.allSettled(recalling.values());
      await storing;
      await storeCheckpoint();
    },
  };
}
