import type { DomainEvent } from '../domain/core/decider.js';
import type { ReadModel } from '../runtime/document-store/read-model.js';

/** Where and when an event was stored, beside what it says. */
export interface Recording {
  readonly eventId: string;
  readonly stream: string;
  readonly revision: bigint;
  readonly position: bigint;
  /** ISO 8601, UTC: when the business says it happened */
  readonly occurredAt: string;
  /** ISO 8601, UTC: when the log took it */
  readonly recordedAt: string;
}

/** An event of a union with its recording; narrows by `type`. */
export type Recorded<E extends DomainEvent> = E extends DomainEvent ? E & Recording : never;

/**
 * Two pure functions that make a read model out of the log: no I/O, no clock, and never a `decide`.
 *
 * A document depends on nothing but its own earlier shape and the events that name it, so that batches may be cut
 * anywhere and replayed at will.
 */
export interface Projection<E extends DomainEvent = DomainEvent, Body extends object = object> {
  readonly model: ReadModel;
  /** The event types it folds; all others pass it by unread. */
  readonly types: ReadonlySet<string>;
  /** The ids of the documents that an event belongs to. */
  ids(event: Recorded<E>): readonly string[];
  /**
   * The document after an event: the same object where nothing changes, undefined where there is none and none begins.
   * A deleted document stays as a tombstone.
   */
  evolve(document: Body | undefined, event: Recorded<E>, id: string): Body | undefined;
}
