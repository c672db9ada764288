import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { Logger } from '../../runtime/logger.js';
import { NoRoomError } from '../disk-room.js';
import { FilterError } from './filter.js';
import { DamageError } from './record.js';

/** A refusal that the client turns into one of its own error classes by the trailer `exception`. */
export class CallError extends Error implements Pick<ServiceError, 'code' | 'details' | 'metadata'> {
  override readonly name = 'CallError';
  readonly metadata = new Metadata();
  /** for the caller; gRPC cannot send what is not well formed */
  readonly details: string;
  constructor(
    readonly code: status,
    sentence: string,
    trailers: Record<string, string> = {},
  ) {
    super(sentence.toWellFormed());
    this.details = this.message;
    // Trailers are ASCII; what is not travels percent-encoded.
    for (const [key, value] of Object.entries(trailers)) this.metadata.set(key, printable(value));
  }
}

const printable = (value: string): string => (/^[\x20-\x7e]*$/.test(value) ? value : encodeURI(value.toWellFormed()));

export const invalid = (sentence: string): CallError => new CallError(status.INVALID_ARGUMENT, sentence);
export const unimplemented = (sentence: string): CallError => new CallError(status.UNIMPLEMENTED, sentence);
export const shuttingDown = (): CallError => new CallError(status.UNAVAILABLE, 'The event store is shutting down.');

/** After a failed commit: the caller has to read to know. */
export const outcomeUnknown = (): CallError =>
  new CallError(
    status.UNAVAILABLE,
    'The event store could not store and is ending; whether this was stored is not known.',
  );

/** Nothing of the request was written. */
export const diskFull = (): CallError =>
  new CallError(
    status.RESOURCE_EXHAUSTED,
    'The disk of the event store is full. Nothing was written; reads go on. Make room on it, then append again.',
  );

export const accessDenied = (): CallError =>
  new CallError(status.UNAUTHENTICATED, 'The event store asks for its password, and this was not it.', {
    exception: 'access-denied',
  });

export const missingProperty = (property: string): CallError =>
  new CallError(status.INVALID_ARGUMENT, `Required Metadata Property '${property}' is missing`, {
    exception: 'missing-required-metadata-property',
    'required-metadata-properties': property,
  });

export const streamDeleted = (stream: string): CallError =>
  new CallError(status.FAILED_PRECONDITION, `Stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  });

export const appendTooLarge = (maxAppendSize: number): CallError =>
  new CallError(status.INVALID_ARGUMENT, `Maximum Append Size of ${maxAppendSize} exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(maxAppendSize),
  });

/** Which persistent subscription a refusal is about; `stream` is "$all" for the whole log. */
interface Subscription {
  stream: string | undefined;
  group: string;
}

const subscriptionTrailers = (exception: string, { stream, group }: Subscription): Record<string, string> => ({
  exception,
  'stream-name': stream ?? '$all',
  'group-name': group,
});
const named = ({ stream, group }: Subscription): string => `'${group}' on '${stream ?? '$all'}'`;

export const subscriptionExists = (id: Subscription): CallError =>
  new CallError(
    status.ALREADY_EXISTS,
    `The persistent subscription ${named(id)} exists already.`,
    subscriptionTrailers('persistent-subscription-exists', id),
  );

export const subscriptionMissing = (id: Subscription): CallError =>
  new CallError(
    status.NOT_FOUND,
    `There is no persistent subscription ${named(id)}.`,
    subscriptionTrailers('persistent-subscription-does-not-exist', id),
  );

/** The group was deleted, changed or restarted: its consumers have to connect again. */
export const subscriptionGone = (id: Subscription): CallError =>
  new CallError(
    status.FAILED_PRECONDITION,
    `The persistent subscription ${named(id)} was deleted, changed or restarted.`,
    subscriptionTrailers('persistent-subscription-dropped', id),
  );

export const tooManySubscribers = (id: Subscription): CallError =>
  new CallError(
    status.FAILED_PRECONDITION,
    `The persistent subscription ${named(id)} has as many consumers as it takes.`,
    subscriptionTrailers('maximum-subscribers-reached', id),
  );

export const scavengeMissing = (scavengeId: string): CallError =>
  new CallError(status.NOT_FOUND, `No scavenge ${scavengeId} is running.`, {
    exception: 'scavenge-not-found',
    'scavenge-id': scavengeId,
  });

/** An append of the server's own to one of its streams that cannot be made. */
export const appendRefused = (stream: string, because: string): CallError =>
  new CallError(status.FAILED_PRECONDITION, `The stream '${stream}' takes no event: ${because}.`);

/** LMDB's page-not-found, corrupted, invalid, cursor-full and problem; bad-txn is what other reads of that moment get. */
const unreadable = new Set([-30797, -30796, -30793, -30787, -30782, -30779]);
const isUnreadable = (err: unknown): boolean =>
  err instanceof Error && 'code' in err && typeof err.code === 'number' && unreadable.has(err.code);

/** Any failure as a refusal for the wire. What nobody foresaw is logged and says nothing of the inside. */
export function toCallError(err: unknown, log: Logger): CallError {
  if (err instanceof CallError) return err;
  if (err instanceof NoRoomError) return diskFull();
  if (err instanceof FilterError) return invalid(err.message);
  if (err instanceof DamageError) {
    log.error('damaged data was found and not served', {
      position: err.position,
      stream: err.stream,
      revision: err.revision,
      err,
    });
    return new CallError(status.DATA_LOSS, err.message);
  }
  if (isUnreadable(err)) {
    log.error('pages of the data file cannot be read', { err });
    const why = 'pages of the data file cannot be read';
    return new CallError(
      status.DATA_LOSS,
      `The stored data is damaged: ${why}. Run with --verify and restore a backup.`,
    );
  }
  log.error('a call failed', { err });
  return new CallError(status.INTERNAL, 'The event store failed to serve the call.');
}
