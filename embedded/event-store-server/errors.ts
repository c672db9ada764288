import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { Logger } from '../../runtime/logger.js';
import { FilterError } from './filter.js';
import { DamageError } from './record.js';

/** A refusal that the client turns into one of its own error classes by the trailer `exception`. */
export class CallError extends Error implements Pick<ServiceError, 'code' | 'details' | 'metadata'> {
  override readonly name = 'CallError';
  readonly metadata = new Metadata();
  constructor(
    readonly code: status,
    readonly details: string,
    trailers: Record<string, string> = {},
  ) {
    super(details);
    // Trailers are ASCII; what is not travels percent-encoded.
    for (const [key, value] of Object.entries(trailers)) this.metadata.set(key, printable(value));
  }
}

const printable = (value: string): string => (/^[\x20-\x7e]*$/.test(value) ? value : encodeURI(value));

export const invalid = (sentence: string): CallError => new CallError(status.INVALID_ARGUMENT, sentence);
export const unimplemented = (sentence: string): CallError => new CallError(status.UNIMPLEMENTED, sentence);
export const shuttingDown = (): CallError => new CallError(status.UNAVAILABLE, 'The event store is shutting down.');

/** After a failed commit: the caller has to read to know. */
export const outcomeUnknown = (): CallError =>
  new CallError(
    status.UNAVAILABLE,
    'The event store could not store and is ending; whether this was stored is not known.',
  );

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

/** Any failure as a refusal for the wire. What nobody foresaw is logged and says nothing of the inside. */
export function toCallError(err: unknown, log: Logger): CallError {
  if (err instanceof CallError) return err;
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
  log.error('a call failed', { err });
  return new CallError(status.INTERNAL, 'The event store failed to serve the call.');
}
