import { z } from 'zod';
import { DomainError, type ErrorKind } from '../../domain/core/domain-error.js';
import { AppendTooLarge, LogUnavailable, OutcomeUnknown, Overloaded } from '../event-store/event-log.js';
import { PersonalDataError } from '../personal-data/personal-data-error.js';

const statusOfKind: Record<ErrorKind, number> = {
  malformed: 400,
  invalid: 422,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  busy: 503,
};

/** An answer other than success. `code` is stable, `message` is for people, `details` holds no personal data. */
export class HttpError extends Error {
  override readonly name = 'HttpError';

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details?: unknown,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

export const notFound = (what = 'resource') => new HttpError(404, 'not-found', `There is no such ${what}.`);
export const unauthenticated = (message = 'Log in first.') => new HttpError(401, 'unauthenticated', message);
export const forbidden = () => new HttpError(403, 'forbidden', 'This account may not do that.');
export const unavailable = (message: string, retryAfterSeconds = 1) =>
  new HttpError(503, 'unavailable', message, undefined, { 'Retry-After': String(retryAfterSeconds) });

/** A request with a hundred thousand faults gets no answer as long as itself. */
const mostIssues = 20;
const longestText = 200;

/** Every fault a handler can throw as the answer a client gets; what is not known stays inside and becomes a 500. */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof DomainError) {
    const details = Object.keys(error.details).length === 0 ? undefined : error.details;
    return new HttpError(statusOfKind[error.kind], error.code, error.message, details);
  }
  if (error instanceof z.ZodError) {
    const details = error.issues.slice(0, mostIssues).map((issue) => ({
      path: issue.path.join('.').slice(0, longestText),
      code: issue.code,
      message: issue.message.slice(0, longestText),
    }));
    return new HttpError(422, 'validation-failed', 'The request does not fit what this route takes.', details);
  }
  if (error instanceof LogUnavailable || error instanceof OutcomeUnknown) {
    return unavailable('The event log does not answer at the moment. Try again with the same Idempotency-Key.');
  }
  if (error instanceof Overloaded) {
    return new HttpError(503, 'overloaded', 'Too much is asked at the moment. Try again.', undefined, {
      'Retry-After': '1',
    });
  }
  if (error instanceof AppendTooLarge) {
    return new HttpError(413, 'command-too-large', 'The command comes to more than the log takes in one piece.');
  }
  if (error instanceof PersonalDataError && error.code === 'data-keys-unavailable') {
    return unavailable('Personal data cannot be reached at the moment. Try again.');
  }
  if (error instanceof PersonalDataError && error.code === 'subject-erased') {
    return new HttpError(409, error.code, 'This person has been erased.');
  }
  const parser = error as { type?: unknown; status?: unknown };
  switch (parser.type) {
    case 'entity.too.large':
      return new HttpError(413, 'body-too-large', 'The request body is over 1 MB.');
    case 'entity.parse.failed':
      return new HttpError(400, 'malformed-json', 'The request body is not JSON.');
    case 'encoding.unsupported':
    case 'charset.unsupported':
      return new HttpError(415, 'encoding-unsupported', 'Send UTF-8 JSON.');
    case 'request.aborted':
    case 'request.size.invalid':
      return new HttpError(400, 'request-incomplete', 'The request body ended early.');
    default:
  }
  if (error instanceof URIError) return new HttpError(400, 'malformed-url', 'The address is not well formed.');
  return new HttpError(500, 'internal', 'Something went wrong on our side.');
}
