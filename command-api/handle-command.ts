import { LRUCache } from 'lru-cache';
import type { Command, DomainEvent } from '../domain/core/decider.js';
import { DomainError } from '../domain/core/domain-error.js';
import type { EventCatalog } from '../domain/core/event-codec.js';
import {
  AppendTooLarge,
  type EventLog,
  OutcomeUnknown,
  Overloaded,
  type ProposedEvent,
  RevisionConflict,
  type StoredEvent,
} from '../runtime/event-store/event-log.js';
import { encodeEvent, type MetadataSource } from '../runtime/event-store/hash-chain.js';
import type { Logger } from '../runtime/logger.js';
import { type Aggregate, StreamState } from './stream-state.js';

/** Who asks, and as part of which flow. */
export interface CommandContext {
  readonly commandId: string;
  /** HMAC over the request body, where the command came with an idempotency key. */
  readonly requestHash?: string | undefined;
  readonly correlationId: string;
  /** What brought the command about: an event's id, else the command itself. */
  readonly causationId?: string | undefined;
  readonly userId?: string | undefined;
  readonly traceparent?: string | undefined;
  /** The command usually creates its stream: assume that there is none, and read only on conflict. */
  readonly creates?: boolean | undefined;
}

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
  /** Commands that may wait in all mailboxes together, and in one. */
  readonly maxWaiting?: number;
  readonly maxWaitingPerStream?: number;
}

type AnyAggregate = Aggregate<unknown, Command, DomainEvent>;

interface Waiting {
  readonly command: Command;
  readonly context: CommandContext;
  resolve(accepted: Accepted): void;
  reject(error: unknown): void;
}

interface Mailbox {
  readonly queue: Waiting[];
  readonly aggregate: AnyAggregate;
}

type Verdict =
  | { readonly waiting: Waiting; readonly refused: unknown }
  | { readonly waiting: Waiting; readonly repeated: true }
  | {
      readonly waiting: Waiting;
      readonly events: readonly DomainEvent[];
      readonly eventIds: readonly string[];
      readonly last: bigint;
    };

const maxGroup = 256;
const maxGroupBytes = 600_000;
const attempts = 20;

/** One append decided for a group of commands, each on the state the earlier ones leave behind. */
interface Group {
  /** The revision it was decided at. */
  readonly base: bigint;
  readonly verdicts: readonly Verdict[];
  readonly proposed: readonly (ProposedEvent & { revision: bigint })[];
  readonly state: unknown;
  /** A refusal or a no-op rests on the state being the newest. */
  readonly needsNewest: boolean;
}

/** The one write loop of a process. */
export function createCommandHandler(options: CommandHandlerOptions): CommandHandler {
  const { eventLog, catalog, service, log, maxWaiting = 20_000, maxWaitingPerStream = 5_000 } = options;
  const states = new LRUCache<string, StreamState>({ max: options.cachedStreams ?? 20_000 });
  const mailboxes = new Map<string, Mailbox>();
  const draining = new Set<Promise<void>>();
  let waitingCount = 0;

  const sourceOf = (aggregate: AnyAggregate, event: DomainEvent, { command, context }: Waiting): MetadataSource => {
    const flow = aggregate.correlationOf?.(event) ?? context.correlationId;
    const own = flow === context.correlationId;
    return {
      source_service: service,
      $correlationId: flow,
      $causationId: context.causationId ?? context.commandId,
      ...(own ? { command_id: context.commandId } : {}),
      ...(own && context.requestHash !== undefined ? { request_hash: context.requestHash } : {}),
      ...(own && context.userId !== undefined ? { user_id: context.userId } : {}),
      ...(own && context.traceparent !== undefined ? { traceparent: context.traceparent } : {}),
      occurred_at: command.metadata.now,
    };
  };

  const decideGroup = (known: StreamState, aggregate: AnyAggregate, group: readonly Waiting[]): Group => {
    const verdicts: Verdict[] = [];
    const proposed: (ProposedEvent & { revision: bigint })[] = [];
    let { state, hash, revision } = known;
    let needsNewest = false;
    let bytes = 0;
    const decidedHere = new Map<string, Waiting>();
    for (const waiting of group) {
      const { command, context } = waiting;
      const before = known.commands.get(context.commandId) ?? decidedHere.get(context.commandId)?.context;
      if (before !== undefined) {
        const reused = before.requestHash !== context.requestHash;
        verdicts.push(reused ? { waiting, refused: keyReused() } : { waiting, repeated: true });
        continue;
      }
      try {
        const events = aggregate.decider.decide(command, state);
        if (events.length === 0) needsNewest = true;
        const encoded: typeof proposed = [];
        let next = { state, hash, revision, bytes };
        for (const event of events) {
          const place = next.revision + 1n;
          const source = sourceOf(aggregate, event, waiting);
          const stored = encodeEvent(catalog, known.stream, place, next.hash, event, source);
          encoded.push({ ...stored, revision: place });
          next = {
            state: aggregate.decider.evolve(next.state, event),
            hash: stored.metadata.hash,
            revision: place,
            bytes: next.bytes + stored.bytes,
          };
        }
        if (next.bytes > maxGroupBytes && proposed.length > 0) break;
        proposed.push(...encoded);
        ({ state, hash, revision, bytes } = next);
        if (events.length > 0) decidedHere.set(context.commandId, waiting);
        verdicts.push({ waiting, events, eventIds: encoded.map(({ id }) => id), last: revision });
      } catch (refused) {
        if (refused instanceof DomainError) needsNewest = true;
        verdicts.push({ waiting, refused });
      }
    }
    return { base: known.revision, verdicts, proposed, state, needsNewest };
  };

  const answer = async (known: StreamState, verdict: Verdict) => {
    const { waiting } = verdict;
    if ('refused' in verdict) return waiting.reject(verdict.refused);
    const { position } = known;
    if ('events' in verdict) {
      const { events, eventIds, last: revision } = verdict;
      return waiting.resolve({ events, eventIds, revision, position, repeated: false });
    }
    const remembered = known.commands.get(waiting.context.commandId);
    if (remembered === undefined) return waiting.reject(new OutcomeUnknown('the command was forgotten'));
    try {
      const before = await known.eventsOf(eventLog, waiting.context.commandId, remembered);
      waiting.resolve({ ...before, revision: remembered.last, position, repeated: true });
    } catch (error) {
      waiting.reject(error);
    }
  };

  const readTail = async (known: StreamState): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await known.catchUp(eventLog);
        return;
      } catch (error) {
        if (attempt === 5) throw error;
        await pause(50 * 2 ** attempt);
      }
    }
  };

  const refuseFirst = (mailbox: Mailbox, error: unknown) => {
    waitingCount -= 1;
    mailbox.queue.shift()?.reject(error);
  };

  /** Settles the first commands of the queue in one append. */
  const settle = async (stream: string, mailbox: Mailbox): Promise<void> => {
    const group = mailbox.queue.slice(0, maxGroup);
    let known = states.get(stream);
    let newest = false;
    if (known === undefined) {
      known = new StreamState(stream, mailbox.aggregate.decider, catalog);
      if (!group.every(({ context }) => context.creates === true)) {
        await readTail(known);
        newest = true;
      }
    }
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const decided = decideGroup(known, mailbox.aggregate, group);
      if (decided.needsNewest && !newest) {
        newest = true;
        await readTail(known);
        if (known.revision !== decided.base) continue;
      }
      if (decided.proposed.length > 0) {
        try {
          const expected = decided.base === -1n ? 'no-stream' : decided.base;
          const { position } = await eventLog.append(stream, decided.proposed, expected);
          // Somebody who loaded the stream meanwhile may have read these very events back already.
          if (known.revision === decided.base) {
            known.state = decided.state;
            for (const event of decided.proposed) known.advance(event.revision, position, event.metadata);
          } else {
            await readTail(known);
          }
        } catch (error) {
          if (error instanceof AppendTooLarge) {
            if (group.length === 1) return refuseFirst(mailbox, error);
            group.splice(Math.max(1, Math.floor(decided.verdicts.length / 2)));
            continue;
          }
          const reread = error instanceof RevisionConflict || error instanceof OutcomeUnknown;
          if (!reread) throw error;
          log.debug('deciding again', { stream, attempt, because: error.name });
          if (attempt > 2) await pause(Math.random() * Math.min(200, 2 ** attempt));
          await readTail(known);
          newest = true;
          continue;
        }
      }
      states.set(stream, known);
      mailbox.queue.splice(0, decided.verdicts.length);
      waitingCount -= decided.verdicts.length;
      await Promise.all(decided.verdicts.map((verdict) => answer(known, verdict)));
      return;
    }
    throw new Overloaded(`${stream} is written by too many at once`);
  };

  const drainMailbox = async (stream: string, mailbox: Mailbox): Promise<void> => {
    while (mailbox.queue.length > 0) {
      try {
        await settle(stream, mailbox);
      } catch (error) {
        // What this process believed of the stream may be wrong now: forget it, and tell everybody who waits.
        states.delete(stream);
        const failed = mailbox.queue.splice(0, maxGroup);
        waitingCount -= failed.length;
        for (const waiting of failed) waiting.reject(error);
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
        const mailbox: Mailbox = { queue: [waiting], aggregate: aggregate as unknown as AnyAggregate };
        mailboxes.set(stream, mailbox);
        const drained = Promise.resolve().then(() => drainMailbox(stream, mailbox));
        draining.add(drained);
        void drained.finally(() => draining.delete(drained));
      });
      return accepted as Promise<Accepted<never>>;
    },
    async load(aggregate, id, newest = false) {
      const stream = aggregate.stream(id);
      let known = states.get(stream);
      if (known === undefined || newest) {
        const { decider } = aggregate as unknown as AnyAggregate;
        known ??= new StreamState(stream, decider, catalog);
        await known.catchUp(eventLog);
        if (known.revision >= 0n && !states.has(stream)) states.set(stream, known);
      }
      return { state: known.state as never, revision: known.revision, position: known.position };
    },
    feed(events) {
      for (const event of events) {
        const known = states.peek(event.stream);
        if (known === undefined || event.revision <= known.revision) continue;
        if (event.revision === known.revision + 1n) known.apply(event);
        else states.delete(event.stream);
      }
    },
    async drain() {
      while (draining.size > 0) await Promise.all(draining);
    },
  };
}

function keyReused(): DomainError {
  return new DomainError('idempotency-key-reused', 'This Idempotency-Key was used for another request.');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
