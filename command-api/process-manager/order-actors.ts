import type { Logger } from '../../runtime/logger.js';
import type { OrderProcess, RunOutcome } from './order-process.js';

/** An order in hand. */
export interface Actor {
  readonly process: OrderProcess;
  /** The position before `order.created`, as long as `fulfilment.started` is not appended. */
  before: bigint | undefined;
  running: boolean;
  /** Something came in while it ran. */
  dirty: boolean;
  pauseMs: number;
  timer?: NodeJS.Timeout;
}

export interface OrderActors {
  readonly all: ReadonlyMap<string, Actor>;
  adopt(process: OrderProcess, before: bigint | undefined, pauseMs?: number): Actor;
  /** Has the order looked at, now or when it has come to the end of what it does. */
  schedule(actor: Actor): void;
  /** Has it looked at after its pause, which grows. */
  again(actor: Actor): void;
  remove(actor: Actor): void;
  /** Takes nothing on any more; resolves when what is in hand has come to a step's end. */
  close(): Promise<void>;
}

export interface ActorOptions {
  /** Orders that are worked on at the same time. */
  readonly concurrency: number;
  readonly log: Logger;
  /** What becomes of an order that has nothing more to do at the moment. */
  rested(actor: Actor, outcome: RunOutcome, tookMs: number): void;
}

export const firstPauseMs = 100;
const longestPauseMs = 5_000;
/** A run that takes longer waits for somebody else, most often the provider: others are worked on meanwhile. */
const slowMs = 1_000;
const mostSlow = 512;

/** Works on many orders side by side, on each one step after the other. */
export function orderActors({ concurrency, log, rested }: ActorOptions): OrderActors {
  const all = new Map<string, Actor>();
  const ready: Actor[] = [];
  const busy = { quick: 0, slow: 0 };
  let closing = false;
  let settled: () => void = () => {};

  const pump = () => {
    while (busy.quick < concurrency) {
      const actor = ready.shift();
      if (actor === undefined) return;
      let lane: keyof typeof busy = 'quick';
      busy.quick += 1;
      const slow = setTimeout(() => {
        if (busy.slow >= mostSlow) return;
        lane = 'slow';
        busy.quick -= 1;
        busy.slow += 1;
        pump();
      }, slowMs);
      void work(actor).finally(() => {
        clearTimeout(slow);
        busy[lane] -= 1;
        settled();
        pump();
      });
    }
  };

  const work = async (actor: Actor): Promise<void> => {
    const { process } = actor;
    const started = performance.now();
    let outcome: RunOutcome;
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
    if (!closing) rested(actor, outcome, performance.now() - started);
  };

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

  return {
    all,
    adopt(process, before, pauseMs = firstPauseMs) {
      const actor: Actor = { process, before, running: false, dirty: false, pauseMs };
      all.set(process.orderId, actor);
      return actor;
    },
    schedule,
    again(actor) {
      actor.timer = setTimeout(() => schedule(actor), actor.pauseMs);
      actor.pauseMs = Math.min(actor.pauseMs * 2, longestPauseMs);
    },
    remove(actor) {
      clearTimeout(actor.timer);
      all.delete(actor.process.orderId);
    },
    async close() {
      closing = true;
      for (const actor of all.values()) clearTimeout(actor.timer);
      while (busy.quick + busy.slow > 0) await new Promise<void>((resolve) => (settled = resolve));
    },
  };
}
