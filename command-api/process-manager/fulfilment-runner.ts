import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { StoredEvent } from '../../runtime/event-store/event-log.js';
import { type Batch, followLog } from '../../runtime/event-store/follow.js';
import { newId } from '../../runtime/ids.js';
import { inParallel } from '../../runtime/in-parallel.js';
import { isPassing, OrderProcess, type ProcessDeps } from './order-process.js';

export interface RunnerOptions extends ProcessDeps {
  /** Orders in hand at once; further ones wait in the log. */
  readonly maxOpen?: number;
  /** Orders that are worked on at the same time. */
  readonly concurrency?: number;
  readonly checkpointStream?: string;
}

export interface FulfilmentRunner {
  /** Orders in hand, and those of them that cannot go on. */
  counts(): { open: number; parked: number };
  /** The log position up to which events were taken in. */
  position(): bigint;
  /** Stores the checkpoint and stops after the steps in hand. */
  close(): Promise<void>;
}

/** STORED FORMAT of the side stream: where to follow on, and the orders begun before it that have not ended. */
const checkpoint = z.object({ position: z.string().regex(/^\d+$/), open: z.array(z.string()) });

const checkpointMs = 1_000;
const firstPauseMs = 100;
const longestPauseMs = 5_000;
const longestTimerMs = 60_000;

interface Actor {
  readonly process: OrderProcess;
  /** The position before `order.created`, as long as `fulfilment.started` is not appended. */
  before: bigint | undefined;
  running: boolean;
  /** Something came in while it ran. */
  dirty: boolean;
  pauseMs: number;
  timer?: NodeJS.Timeout;
}

/**
 * Follows orders and payments and carries every open fulfilment on: events of one order in log order, different orders
 * side by side. Two runners at once are safe by ids and revisions, only wasteful.
 */
export async function startFulfilmentRunner(options: RunnerOptions): Promise<FulfilmentRunner> {
  const { eventLog, log, maxOpen = 1_000, concurrency = 128, checkpointStream = 'checkpoint-fulfilment' } = options;
  const actors = new Map<string, Actor>();
  const ended = new LRUCache<string, OrderProcess>({ max: 2_000 });
  const ready: Actor[] = [];
  let running = 0;
  let closing = false;
  let room: () => void = () => {};
  let settled: () => void = () => {};

  const schedule = (actor: Actor) => {
    clearTimeout(actor.timer);
    if (closing) return;
    if (actor.running) {
      actor.dirty = true;
      return;
    }
    actor.running = true;
    ready.push(actor);
    pump();
  };

  const pump = () => {
    while (running < concurrency) {
      const actor = ready.shift();
      if (actor === undefined) return;
      running += 1;
      void work(actor).finally(() => {
        running -= 1;
        settled();
        pump();
      });
    }
  };

  const work = async (actor: Actor): Promise<void> => {
    const { process } = actor;
    let outcome: Awaited<ReturnType<OrderProcess['run']>>;
    do {
      actor.dirty = false;
      try {
        outcome = await process.run(() => closing);
      } catch (err) {
        log.error('fulfilment run failed', { orderId: process.orderId, err });
        outcome = 'again';
      }
      if (process.state.started !== undefined) actor.before = undefined;
    } while (actor.dirty && !closing);
    actor.running = false;
    if (outcome === 'ended') {
      actors.delete(process.orderId);
      ended.set(process.orderId, process);
      room();
    } else if (outcome === 'parked') {
      room();
    } else if (outcome === 'again' && !closing) {
      actor.timer = setTimeout(() => schedule(actor), actor.pauseMs);
      actor.pauseMs = Math.min(actor.pauseMs * 2, longestPauseMs);
    } else {
      actor.pauseMs = firstPauseMs;
      const wakeAt = process.wakeAt();
      if (wakeAt === undefined || closing) return;
      const waitMs = Math.min(Math.max(wakeAt - options.clock().getTime(), 0), longestTimerMs);
      actor.timer = setTimeout(() => schedule(actor), waitMs);
    }
  };

  const adopt = (process: OrderProcess, before: bigint | undefined): Actor => {
    const actor: Actor = { process, before, running: false, dirty: false, pauseMs: firstPauseMs };
    actors.set(process.orderId, actor);
    return actor;
  };

  const recalled = async (orderId: string, before: bigint | undefined): Promise<void> => {
    const process = new OrderProcess(orderId, options);
    try {
      await process.recall();
      if (process.state.order === undefined) {
        log.warn('a payment of no order', { orderId });
        return;
      }
    } catch (error) {
      // What cannot be read now may be read later; what can never be read parks this order, and no other.
      if (isPassing(error)) throw error;
      process.park(`it cannot be recalled: ${String(error)}`);
    }
    schedule(adopt(process, process.state.started === undefined ? before : undefined));
  };

  const atWork = (): number => {
    let count = 0;
    for (const { process } of actors.values()) if (process.parked === undefined) count += 1;
    return count;
  };

  const stored = await eventLog.readLast(checkpointStream);
  const resumed = stored === undefined ? undefined : checkpoint.parse(stored.data);
  if (stored === undefined) await eventLog.keepLast(checkpointStream, 10);
  // What is older than this start may be well on its way: such orders are recalled from the log, not begun anew.
  const headAtStart = await eventLog.head();
  await inParallel(resumed?.open ?? [], 16, (orderId) => recalled(orderId, undefined));

  const takeIn = async (event: StoredEvent, before: bigint): Promise<void> => {
    const orderId = event.data['order_id'];
    if (typeof orderId !== 'string') return;
    const actor = actors.get(orderId);
    if (actor !== undefined) {
      if (actor.process.knows(event)) return;
      actor.process.take(event);
      schedule(actor);
    } else if (event.type === 'order.created') {
      if (ended.has(orderId)) return;
      if (event.position <= headAtStart) return recalled(orderId, before);
      const process = new OrderProcess(orderId, options);
      process.take(event);
      schedule(adopt(process, before));
    } else if (event.type === 'payment.success' && ended.get(orderId)?.knows(event) !== true) {
      await recalled(orderId, undefined);
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
        while (actors.size >= maxOpen && atWork() >= maxOpen && !closing)
          await new Promise<void>((resolve) => (room = resolve));
        if (closing) throw new Error('closing');
        await takeIn(event, before);
        before = event.position;
      }
    },
  });

  let written = '';
  const storeCheckpoint = async (): Promise<void> => {
    let position = follower.position();
    const open: string[] = [];
    for (const { process, before } of actors.values()) {
      if (before === undefined) open.push(process.orderId);
      else if (before < position) position = before;
    }
    const data = { position: String(position), open };
    const text = JSON.stringify(data);
    if (text === written) return;
    await eventLog.appendSide(checkpointStream, { id: newId(), type: 'checkpoint.stored', data, metadata: {} });
    written = text;
  };
  let storing: Promise<void> | undefined;
  const timer = setInterval(() => {
    storing ??= storeCheckpoint()
      .catch((err: unknown) => log.warn('checkpoint not stored', { err }))
      .finally(() => {
        storing = undefined;
      });
  }, checkpointMs);

  return {
    counts: () => ({ open: actors.size, parked: actors.size - atWork() }),
    position: () => follower.position(),
    async close() {
      closing = true;
      clearInterval(timer);
      for (const actor of actors.values()) clearTimeout(actor.timer);
      room();
      await follower.close();
      while (running > 0) await new Promise<void>((resolve) => (settled = resolve));
      await storing;
      await storeCheckpoint().catch((err: unknown) => log.warn('checkpoint not stored', { err }));
    },
  };
}
