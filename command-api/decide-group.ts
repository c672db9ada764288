import type { Command, DomainEvent } from '../domain/core/decider.js';
import { DomainError } from '../domain/core/domain-error.js';
import type { EventCatalog } from '../domain/core/event-codec.js';
import type { ProposedEvent } from '../runtime/event-store/event-log.js';
import { encodeEvent, type MetadataSource } from '../runtime/event-store/hash-chain.js';
import type { Aggregate, StreamState } from './stream-state.js';

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

export type AnyAggregate = Aggregate<unknown, Command, DomainEvent>;

export interface Asked {
  readonly command: Command;
  readonly context: CommandContext;
}

/** What a decision came to. Whoever was refused hears why; a repeat is answered from its own events. */
export type Verdict<W extends Asked> =
  | { readonly waiting: W; readonly refused: unknown }
  | { readonly waiting: W; readonly repeated: true }
  | {
      readonly waiting: W;
      readonly events: readonly DomainEvent[];
      readonly eventIds: readonly string[];
      readonly last: bigint;
    };

const maxGroupBytes = 600_000;

/** One append decided for a group of commands, each on the state the earlier ones leave behind. */
export interface Group<W extends Asked> {
  /** The revision it was decided at. */
  readonly base: bigint;
  readonly verdicts: readonly Verdict<W>[];
  readonly proposed: readonly (ProposedEvent & { revision: bigint })[];
  readonly state: unknown;
  /** A refusal or a no-op rests on the state being the newest. */
  readonly needsNewest: boolean;
}

function sourceOf(
  service: string,
  aggregate: AnyAggregate,
  event: DomainEvent,
  { command, context }: Asked,
): MetadataSource {
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
}

/**
 * Decides waiting commands one after the other, each on the state the earlier ones leave behind, as one append.
 *
 * @param group as many as there are; the answer covers the first of them, as far as one append can hold
 */
export function decideGroup<W extends Asked>(
  { catalog, service }: { readonly catalog: EventCatalog; readonly service: string },
  known: StreamState,
  aggregate: AnyAggregate,
  group: readonly W[],
): Group<W> {
  const verdicts: Verdict<W>[] = [];
  const proposed: (ProposedEvent & { revision: bigint })[] = [];
  let { state, hash, revision } = known;
  let needsNewest = false;
  let bytes = 0;
  const decidedHere = new Map<string, W>();
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
        const source = sourceOf(service, aggregate, event, waiting);
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
}

export function keyReused(): DomainError {
  return new DomainError('idempotency-key-reused', 'This Idempotency-Key was used for another request.');
}
