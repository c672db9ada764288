import type { IncomingMessage } from 'node:http';
import { Overloaded } from '../runtime/event-store/event-log.js';
import { HttpError } from '../runtime/http/http-error.js';

const maxBytes = 1_000_000;
/** How much of a body that is too large is read and dropped, so that the client comes to read its answer. */
const maxDroppedBytes = 8_000_000;
/** What all bodies that are on their way may take together: strangers can send theirs slowly, and many at once. */
const maxHeldBytes = 128_000_000;

let held = 0;

/** The client went away before it had sent its whole request; there is nobody to answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

const tooLarge = () => new HttpError(413, 'body-too-large', 'The request body is over 1 MB.');

function drop(req: IncomingMessage): void {
  let dropped = 0;
  req.on('data', (chunk: Buffer) => {
    dropped += chunk.length;
    if (dropped > maxDroppedBytes) req.destroy();
  });
}

/**
 * The request's whole body, byte for byte.
 *
 * @returns undefined where the request has none
 * @throws HttpError 413 over 1 MB, however the body is framed
 * @throws Overloaded where the bodies of all requests take too much together
 * @throws ClientGone
 */
export function readBody(req: IncomingMessage): Promise<Buffer | undefined> {
  const { 'content-length': length, 'transfer-encoding': chunked } = req.headers;
  if (chunked === undefined && (length === undefined || length === '0')) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    if (Number(length ?? 0) > maxBytes) {
      drop(req);
      reject(tooLarge());
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    let counted = 0;
    const letGo = () => {
      held -= counted;
      counted = 0;
    };
    const collect = (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes && held + chunk.length <= maxHeldBytes) {
        chunks.push(chunk);
        counted += chunk.length;
        held += chunk.length;
        return;
      }
      req.off('data', collect);
      chunks.length = 0;
      letGo();
      drop(req);
      reject(size > maxBytes ? tooLarge() : new Overloaded('Too many requests are being sent at the moment.'));
    };
    req.on('data', collect);
    req.once('end', letGo);
    req.once('close', letGo);
    req.once('end', () => resolve(Buffer.concat(chunks, size > maxBytes ? 0 : size)));
    req.once('error', () => reject(new ClientGone()));
    req.once('close', () => reject(new ClientGone()));
  });
}
