import type { Request, Response } from 'express';
import { callerOf } from '../runtime/http/app.js';
import { HttpError } from '../runtime/http/http-error.js';
import { canonicalJson, deriveId, hmac, newId } from '../runtime/ids.js';
import type { Accepted, CommandContext } from './handle-command.js';

const keyForm = /^[\x21-\x7e]{1,200}$/;

/**
 * The command context of a request: an `Idempotency-Key` makes the command id the same for every repeat by the same
 * caller on the same route, and the body's HMAC tells a repeat from another request.
 *
 * @param route a stable name of the route, such as `POST /orders`
 * @param hmacSecret 32 bytes in hexadecimal
 * @throws HttpError 422 where the key is not printable ASCII of at most 200 characters
 */
export function contextOf(req: Request, res: Response, route: string, hmacSecret: string): CommandContext {
  const caller = callerOf(res);
  const principal = caller === 'anonymous' ? 'anonymous' : caller.userId;
  const key = req.get('idempotency-key');
  if (key !== undefined && !keyForm.test(key)) {
    throw new HttpError(422, 'idempotency-key-invalid', 'An Idempotency-Key is 1 to 200 printable ASCII characters.');
  }
  const commandId = key === undefined ? newId() : deriveId('command', principal, route, key);
  const traceparent = req.get('traceparent');
  return {
    commandId,
    correlationId: commandId,
    ...(key === undefined
      ? {}
      : { requestHash: hmac(hmacSecret, canonicalJson([req.params, req.query, req.body ?? null])) }),
    ...(caller === 'anonymous' ? {} : { userId: caller.userId }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

/**
 * Says where the log stands after a command, so that a read can wait for it, which revision the stream is at, and
 * whether the same command had been accepted before.
 */
export function tellConsistency(
  res: Response,
  accepted: Pick<Accepted, 'position' | 'revision'> & Partial<Pick<Accepted, 'repeated'>>,
): void {
  if (accepted.repeated === true) res.setHeader('Idempotent-Replayed', 'true');
  res.setHeader('X-Consistency-Token', String(accepted.position));
  res.setHeader('ETag', `"${accepted.revision}"`);
}
