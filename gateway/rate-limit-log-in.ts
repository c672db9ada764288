import { createHmac } from 'node:crypto';
import { networkOf } from './rate-limit-key.js';

// As command-api reads a body: a byte order mark before the text does not count.
const utf8 = new TextDecoder();

/** An address as command-api compares it, near enough: one that is written otherwise must not get attempts of its own. */
function emailIn(body: Buffer | undefined): string | undefined {
  try {
    const { email } = JSON.parse(utf8.decode(body)) as { email?: unknown };
    return typeof email === 'string' ? email.normalize('NFC').trim().toLowerCase() : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What stands for the account that a log-in is for and the address it comes from, without naming either.
 *
 * @returns undefined where the body names none: it will be refused without a password being looked at
 */
export function logInKey(secret: string, body: Buffer | undefined, address: string): string | undefined {
  const email = emailIn(body);
  if (email === undefined) return undefined;
  return createHmac('sha256', secret)
    .update(`${networkOf(address)}\n${email}`)
    .digest('base64url');
}
