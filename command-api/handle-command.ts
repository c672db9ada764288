import { LRUCache } from 'lru-cache';
import type { Command, DomainEvent } from '../domain/core/decider.js';
import { DecodeError, type EventCatalog } from '../domain/core/event-codec.js';
import {
  AppendTooLarge,
  type EventLog,
  isPassingFault,
  LogUnavailable,
  OutcomeUnknown,
  Overloaded,
  RevisionConflict,
  type StoredEvent,
} from '../runtime/event-store/event-log.js';
import { createGate, within } from '../runtime/gate.js';
import type { Logger } from '../runtime/logger.js';
import {
  type AnyAggregate,
  type Asked,
  type CommandContext,
  decideGroup,
  keyReused,
  type Verdict,
} from './decide-group.js';
import { type Aggregate, type Remembered, StreamState } from './stream-state.js';

export type { CommandContext } from './decide-group.js';

/** An accepted command: its own events, and where the stream stands in revision and log position after it. */
export interface Accepted<E extends DomainEvent = DomainEvent> {
  readonly events: readonly E[];
  readonly eventIds: readonly string[];
  readonly revision: bigint;
  readonly position: bigint;
  /** The same command had been accepted before; these are the events from then. */
  readonly repeated: boolean;
}

export interface CommandHandler {
  /**
   * Decides a command on the newest state of its stream and appends what follows.
   *
   * @throws DomainError the caller's mistake; nothing was written
   * @throws Overloaded too many commands wait; nothing was written
   * @throws OutcomeUnknown the log did not answer; the same command id finds out later
   */
  handle<S, C extends Command, E extends DomainEvent>(
    aggregate: Aggregate<S, C, E>,
    id: string,
    command: C,
    context: CommandContext,
  ): Promise<Accepted<E>>;
  /** The state of a stream as the cache has it, read from the log where it has not. */
  load<S, C extends Command, E extends DomainEvent>(
    aggregate: Aggregate<S, C, E>,
    id: string,
    newest?: boolean,
  ): Promise<{ state: S; revision: bigint; position: bigint }>;
  /**
   * The answer that a command got when it was accepted, if it was: for what must be known before a repeat is prepared.
   *
   * @param cachedOnly look no further than the cache
   * @throws DomainError `idempotency-key-reused`
   */
  answered<S, C extends Command, E extends DomainEvent>(
    aggregate: Aggregate<S, C, E>,
    id: string,
    context: CommandContext,
    cachedOnly?: boolean,
  ): Promise<Accepted<E> | undefined>;
  /** Takes in events that other processes appended, for streams that are in the cache. */
  feed(events: readonly StoredEvent[]): void;
  /** Waits until nothing is queued. */
  drain(): Promise<void>;
}

export interface CommandHandlerOptions {
  readonly eventLog: EventLog;
  readonly catalog: EventCatalog;
  /** `source_service` of what is appended */
  readonly service: string;
  readonly log: Logger;
  readonly cachedStreams?: number;
  /** What the cached streams may have in parts together, such as lines of orders. */
  readonly cachedParts?: number;
  /** Commands that may wait in all mailboxes together, and in one. */
  readonly maxWaiting?: number;
  readonly maxWaitingPerStream?: number;
}

interface Waiting extends Asked {
  resolve(accepted: Accepted): void;
  reject(error: unknown): void;
}

interface Mailbox {
  readonly queue: Waiting[];
  readonly aggregate: AnyAggregate;
  /** When nothing is left in it. */
  drained: Promise<void>;
}

const maxGroup = 256;
const attempts = 20;
/** How long the log may leave a group without an outcome; the gateway gives up a little later. */
const settleMs = 6_000;
/**
 * What the log is asked at once. More would wait there, until all of it comes too late: answers that nobody waits for any
 * more are asked for again, and a log that was slow for a moment stays so.
 */
const readsAtOnce = 8;
const settledAtOnce = 128;
/** A mailbox begins to drain when whoever is asking has asked for everything. */
const soon = Promise.resolve();

/** The one write loop of a process. */
export function createCommandHandler(options: CommandHandlerOptions): CommandHandler {
  const { eventLog, catalog, service, log, maxWaiting = 20_000, maxWaitingPerStream = 5_000 } = options;
  const { cachedStreams: max = 20_000, cachedParts: maxSize = 500_000 } = options;
  const states = new LRUCache<string, StreamState>({ max, maxSize });
  const mailboxes = new Map<string, Mailbox>();
  const reads = createGate(readsAtOnce);
  const settling = createGate(settledAtOnce);
  let waitingCount = 0;

  const keep = (aggregate: AnyAggregate, known: StreamState): void => {
    states.set(known.stream, known, { size: 1 + (aggregate.parts?.(known.state) ?? 0) });
  };

  const catchUp = (known: StreamState): Promise<void> => within(reads, () => known.catchUp(eventLog));

  /** Reads what came after the known end, and keeps it. */
  const readOn = async (aggregate: AnyAggregate, stream: string, from?: StreamState): Promise<StreamState> => {
    const known = from ?? new StreamState(stream, aggregate.decider, catalog);
    await catchUp(known);
    if (known.revision >= 0n && !states.has(stream)) keep(aggregate, known);
    return known;
  };

  /** What an accepted command was answered with, from its own events. */
  const answerAgain = async (known: StreamState, commandId: string, remembered: Remembered): Promise<Accepted> => {
    const { position } = known;
    const before = await within(reads, () => known.eventsOf(eventLog, commandId, remembered));
    return { ...before, revision: remembered.last, position, repeated: true };
  };

  const repeat = async (known: StreamState, { context, resolve, reject }: Waiting): Promise<void> => {
    const remembered = known.commands.get(context.commandId);
    if (remembered === undefined) return reject(new OutcomeUnknown('the command was forgotten'));
    await answerAgain(known, context.commandId, remembered).then(resolve, reject);
  };

  const answerAll = async (known: StreamState, verdicts: readonly Verdict<Waiting>[]): Promise<void> => {
    const repeats: Promise<void>[] = [];
    for (const verdict of verdicts) {
      const { waiting } = verdict;
      if ('refused' in verdict) {
        waiting.reject(verdict.refused);
      } else if ('events' in verdict) {
        const { events, eventIds, last: revision } = verdict;
        waiting.resolve({ events, eventIds, revision, position: known.position, repeated: false });
      } else {
        repeats.push(repeat(known, waiting));
      }
    }
    if (repeats.length > 0) await Promise.all(repeats);
  };

  const readTail = async (known: StreamState, deadline: number): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await catchUp(known);
        return;
      } catch (error) {
        if (!(error instanceof LogUnavailable) || performance.now() > deadline) throw error;
        await pause(Math.min(1_000, 50 * 2 ** attempt));
      }
    }
  };

  const refuseFirst = (mailbox: Mailbox, error: unknown) => {
    waitingCount -= 1;
    mailbox.queue.shift()?.reject(error);
  };

  /** Settles the first commands of the queue in one append. */
  const settle = async (stream: string, mailbox: Mailbox, progress: { sent: boolean }): Promise<void> => {
    const group = mailbox.queue.slice(0, maxGroup);
    let known = states.get(stream);
    let newest = false;
    if (known === undefined) {
      known = new StreamState(stream, mailbox.aggregate.decider, catalog);
      if (!group.every(({ context }) => context.creates === true)) {
        await readTail(known, performance.now() + settleMs);
        // What was read stays known, however long it took and whatever becomes of this group.
        if (known.revision >= 0n) keep(mailbox.aggregate, known);
        newest = true;
      }
    }
    const deadline = performance.now() + settleMs;
    for (let attempt = 1; attempt <= attempts && performance.now() < deadline; attempt += 1) {
      const decided = decideGroup({ catalog, service }, known, mailbox.aggregate, group);
      if (decided.needsNewest && !newest) {
        newest = true;
        await readTail(known, deadline);
        if (known.revision !== decided.base) continue;
      }
      if (decided.proposed.length > 0) {
        try {
          const expected = decided.base === -1n ? 'no-stream' : decided.base;
          progress.sent = true;
          const { position } = await eventLog.append(stream, decided.proposed, expected);
          // Somebody who loaded the stream meanwhile may have read these very events back already.
          if (known.revision === decided.base) {
            known.state = decided.state;
            for (const event of decided.proposed) known.advance(event.revision, position, event.metadata);
          } else {
            await readTail(known, deadline);
          }
        } catch (error) {
          if (error instanceof AppendTooLarge) {
            if (group.length === 1) return refuseFirst(mailbox, error);
            group.splice(Math.max(1, Math.floor(decided.verdicts.length / 2)));
            continue;
          }
          const reread = error instanceof RevisionConflict || error instanceof OutcomeUnknown;
          if (!reread) throw error;
          if (error instanceof RevisionConflict) progress.sent = false;
          log.debug('deciding again', { stream, attempt, because: error.name });
          if (attempt > 2) await pause(Math.random() * Math.min(200, 2 ** attempt));
          await readTail(known, deadline);
          newest = true;
          continue;
        }
      }
      keep(mailbox.aggregate, known);
      mailbox.queue.splice(0, decided.verdicts.length);
      waitingCount -= decided.verdicts.length;
      await answerAll(known, decided.verdicts);
      return;
    }
    throw new Overloaded(`${stream} is written by too many at once`);
  };

  const drainMailbox = async (stream: string, mailbox: Mailbox): Promise<void> => {
    while (mailbox.queue.length > 0) {
      const progress = { sent: false };
      try {
        await within(settling, () => settle(stream, mailbox, progress));
      } catch (error) {
        // Tell everybody who waits. An append that was sent may have happened, whatever has failed since: the next one
        // finds out by its expected revision. What is known of the stream is kept, though it may be behind: to read all
        // of it again is what a log that is slow could do without.
        const fault = progress.sent ? new OutcomeUnknown(`${stream} does not answer`, { cause: error }) : error;
        if (!isPassingFault(error)) states.delete(stream);
        const failed = mailbox.queue.splice(0, maxGroup);
        waitingCount -= failed.length;
        for (const waiting of failed) waiting.reject(fault);
      }
    }
    mailboxes.delete(stream);
  };

  return {
    handle(aggregate, id, command, context) {
      const stream = aggregate.stream(id);
      const existing = mailboxes.get(stream);
      if (waitingCount >= maxWaiting || (existing?.queue.length ?? 0) >= maxWaitingPerStream) {
        return Promise.reject(new Overloaded('Too many commands wait at the moment.'));
      }
      waitingCount += 1;
      const accepted = new Promise<Accepted>((resolve, reject) => {
        const waiting: Waiting = { command, context, resolve, reject };
        if (existing !== undefined) {
          existing.queue.push(waiting);
          return;
        }
        const mailbox = { queue: [waiting], aggregate: aggregate as unknown as AnyAggregate, drained: soon };
        mailboxes.set(stream, mailbox);
        mailbox.drained = soon.then(() => drainMailbox(stream, mailbox));
      });
      return accepted as Promise<Accepted<never>>;
    },
    async load(aggregate, id, newest = false) {
      const stream = aggregate.stream(id);
      let known = states.get(stream);
      if (known === undefined || newest) known = await readOn(aggregate as unknown as AnyAggregate, stream, known);
      return { state: known.state as never, revision: known.revision, position: known.position };
    },
    async answered(aggregate, id, context, cachedOnly = false) {
      const stream = aggregate.stream(id);
      let known = states.get(stream);
      if (known === undefined) {
        if (cachedOnly) return undefined;
        known = await readOn(aggregate as unknown as AnyAggregate, stream);
      }
      const remembered = known.commands.get(context.commandId);
      if (remembered === undefined) return undefined;
      if (remembered.requestHash !== context.requestHash) throw keyReused();
      return (await answerAgain(known, context.commandId, remembered)) as Accepted<never>;
    },
    feed(events) {
      for (const event of events) {
        const known = states.peek(event.stream);
        if (known === undefined || event.revision <= known.revision) continue;
        try {
          if (event.revision === known.revision + 1n) known.apply(event);
          else states.delete(event.stream);
        } catch (error) {
          // Whoever needs the stream will meet the fault; the feed of all others goes on.
          if (!(error instanceof DecodeError)) throw error;
          states.delete(event.stream);
        }
      }
    },
    async drain() {
      while (mailboxes.size > 0) await Promise.all([...mailboxes.values()].map(({ drained }) => drained));
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
