import { setTimeout as sleep } from 'node:timers/promises';
import {
  BACKWARDS,
  END,
  ErrorType,
  EventStoreDBClient,
  isCommandError,
  jsonEvent,
  NO_STREAM,
  type ReadStreamOptions,
  type ResolvedEvent,
  START,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import type { JsonObject } from '../../domain/core/event-codec.js';
import type { Logger } from '../logger.js';

/** An event as the log holds it. `position` is its place in `$all`, `revision` its index in the stream. */
export interface StoredEvent {
  readonly id: string;
  readonly stream: string;
  readonly revision: bigint;
  readonly position: bigint;
  readonly type: string;
  readonly data: JsonObject;
  readonly metadata: JsonObject;
  readonly recordedAt: Date;
}

export interface ProposedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: JsonObject;
  readonly metadata: JsonObject;
}

/** The stream is not where the caller thought. `actual` is its last revision, undefined if it does not exist. */
export class RevisionConflict extends Error {
  override readonly name = 'RevisionConflict';
  constructor(
    readonly stream: string,
    readonly actual: bigint | undefined,
  ) {
    super(`${stream} is at ${actual ?? 'no revision'}`);
  }
}

/** The append may or may not have happened: read before you try again. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown';
}

/** The log cannot be reached, or refuses; nothing was written. */
export class LogUnavailable extends Error {
  override readonly name = 'LogUnavailable';
}

/** More is asked than can be taken on; nothing was written. */
export class Overloaded extends Error {
  override readonly name = 'Overloaded';
}

/** The append is larger than the store takes. */
export class AppendTooLarge extends Error {
  override readonly name = 'AppendTooLarge';
}

export interface Appended {
  readonly revision: bigint;
  readonly position: bigint;
}

/** Where an append must find the stream: its last revision, or that it does not exist. There is no "any". */
export type ExpectedRevision = bigint | 'no-stream';

export interface EventLog {
  /** @throws RevisionConflict, OutcomeUnknown, AppendTooLarge */
  append(stream: string, events: readonly ProposedEvent[], expected: ExpectedRevision): Promise<Appended>;
  /**
   * Events of a stream from a revision on, at most `count`; none where the stream does not exist. Read it to its end: what
   * is left early keeps a call open in the client.
   *
   * @throws LogUnavailable
   */
  readStream(stream: string, from?: bigint, count?: number): AsyncIterable<StoredEvent>;
  /** Every event of `$all` after a position, system events left out. @throws LogUnavailable */
  readAll(after?: bigint): AsyncIterable<StoredEvent>;
  /** The last event of a stream. @throws LogUnavailable */
  readLast(stream: string): Promise<StoredEvent | undefined>;
  /** The position of the last record in `$all`, 0 where the log is empty. @throws LogUnavailable */
  head(): Promise<bigint>;
  /** Appends to a side stream that only one process writes (`checkpoint-…`), whatever its revision. @throws OutcomeUnknown */
  appendSide(stream: string, event: ProposedEvent): Promise<void>;
  /** Bounds a side stream to its last events. */
  keepLast(stream: string, count: number): Promise<void>;
  /** The client of the moment, for subscriptions. */
  client(): EventStoreDBClient;
  close(): Promise<void>;
}

const appendTimeoutMs = 8_000;

/** @returns undefined for what is no JSON event (a link whose target is gone, a binary event of somebody else's) */
export function toStoredEvent(resolved: ResolvedEvent): StoredEvent | undefined {
  const event = resolved.event;
  if (event === undefined || !event.isJson) return undefined;
  return {
    id: event.id,
    stream: event.streamId,
    revision: event.revision,
    position: event.position?.commit ?? resolved.commitPosition ?? 0n,
    type: event.type,
    data: event.data as JsonObject,
    metadata: (event.metadata ?? {}) as JsonObject,
    recordedAt: event.created,
  };
}

function hasType(error: unknown, type: ErrorType): boolean {
  return error instanceof Error && isCommandError(error) && error.type === type;
}

function asUnavailable(error: unknown): LogUnavailable {
  return new LogUnavailable('The event store cannot be reached or refuses to read.', { cause: error });
}

/**
 * The one writing client of a process. A failed append stream of the official client rejects every append in flight in
 * the process, written or not, and its deadline is not enforced on this side: so appends have a time-out of their own,
 * end as OutcomeUnknown, and the client is replaced.
 */
export function openEventLog(connectionString: string, log: Logger): EventLog {
  let client = EventStoreDBClient.connectionString(connectionString);
  let warmUp: Promise<unknown> | undefined;
  let warm = false;
  let closed = false;

  const replaceClient = (failed: EventStoreDBClient) => {
    if (failed !== client || closed) return;
    log.warn('event store connection replaced');
    client = EventStoreDBClient.connectionString(connectionString);
    warm = false;
    warmUp = undefined;
    failed.dispose().catch((err: unknown) => log.debug('disposing a failed client', { err }));
  };

  const send = async (stream: string, events: readonly ProposedEvent[], expected: ExpectedRevision | 'any') => {
    const using = client;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new OutcomeUnknown(`no answer from ${stream} in time`)), appendTimeoutMs);
    });
    const append = using.appendToStream(
      stream,
      events.map((event) => jsonEvent(event)),
      { expectedRevision: expected === 'no-stream' ? NO_STREAM : expected },
    );
    append.catch(() => {});
    try {
      const result = await Promise.race([append, late]);
      return { revision: result.nextExpectedRevision, position: result.position?.commit ?? 0n };
    } catch (error) {
      if (error instanceof WrongExpectedVersionError) {
        const actual = error.actualVersion;
        throw new RevisionConflict(stream, typeof actual === 'bigint' ? actual : undefined);
      }
      if (hasType(error, ErrorType.MAXIMUM_APPEND_SIZE_EXCEEDED)) {
        throw new AppendTooLarge(`an append to ${stream} is too large`);
      }
      replaceClient(using);
      throw error instanceof OutcomeUnknown
        ? error
        : new OutcomeUnknown(`the append to ${stream} failed`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  };

  // More than a hundred appends in the first tick of a fresh connection can hang: the first one goes alone.
  const append: typeof send = async (stream, events, expected) => {
    if (warm) return send(stream, events, expected);
    if (warmUp !== undefined) {
      await warmUp.catch(() => {});
      return append(stream, events, expected);
    }
    const first = send(stream, events, expected);
    warmUp = first;
    try {
      return await first;
    } finally {
      // A refusal came from the server, so the connection works; anything else has replaced the client.
      if (warmUp === first) warm = true;
    }
  };

  async function* read(
    resolved: AsyncIterable<ResolvedEvent>,
    missingIsEmpty: boolean,
  ): AsyncGenerator<StoredEvent, void, undefined> {
    try {
      for await (const item of resolved) {
        const event = toStoredEvent(item);
        if (event !== undefined) yield event;
      }
    } catch (error) {
      if (missingIsEmpty && hasType(error, ErrorType.STREAM_NOT_FOUND)) return;
      throw asUnavailable(error);
    }
  }

  return {
    append: (stream, events, expected) => append(stream, events, expected),
    readStream(stream, from, count) {
      const options: ReadStreamOptions = { fromRevision: from ?? START };
      if (count !== undefined) options.maxCount = count;
      return read(client.readStream(stream, options) as AsyncIterable<ResolvedEvent>, true);
    },
    async *readAll(after) {
      const from = after === undefined ? START : { commit: after, prepare: after };
      const all = client.readAll({ fromPosition: from }) as AsyncIterable<ResolvedEvent>;
      for await (const event of read(all, false)) {
        if (event.stream.startsWith('$') || event.type.startsWith('$')) continue;
        if (after === undefined || event.position > after) yield event;
      }
    },
    async readLast(stream) {
      const last = client.readStream(stream, { direction: BACKWARDS, fromRevision: END, maxCount: 1 });
      // Read to the end: a read that is left early is never let go by the client's `dispose`.
      let found: StoredEvent | undefined;
      for await (const event of read(last as AsyncIterable<ResolvedEvent>, true)) found = event;
      return found;
    },
    async head() {
      try {
        let head = 0n;
        for await (const item of client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 })) {
          head = item.event?.position?.commit ?? item.commitPosition ?? 0n;
        }
        return head;
      } catch (error) {
        throw asUnavailable(error);
      }
    },
    async appendSide(stream, event) {
      await append(stream, [event], 'any');
    },
    async keepLast(stream, count) {
      await client.setStreamMetadata(stream, { maxCount: count });
    },
    client: () => client,
    async close() {
      closed = true;
      // A call that never ends would keep `dispose` waiting for ever.
      await Promise.race([client.dispose(), sleep(2_000, undefined, { ref: false })]);
    },
  };
}
