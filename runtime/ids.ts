import { createHash, createHmac } from 'node:crypto';
import { canonicalize } from 'json-canonicalize';
import { v5, v7 } from 'uuid';

const namespace = '6f1c2a52-8d0b-5c43-9a77-3c1d0f5b7e21';

/** A fresh, time-ordered id. */
export function newId(): string {
  return v7();
}

/** The same id for the same parts, for ever: UUIDv5 over the parts joined by line breaks. */
export function deriveId(...parts: readonly (string | number)[]): string {
  return v5(parts.join('\n'), namespace);
}

/** UUIDv5 of a text that is an identity by itself, such as an event's hash. */
export function idOf(text: string): string {
  return v5(text, namespace);
}

/** SHA-256 as 64 hexadecimal digits. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** HMAC-SHA-256 as 64 hexadecimal digits. `secret` is the key in hexadecimal. */
export function hmac(secret: string, text: string): string {
  return createHmac('sha256', Buffer.from(secret, 'hex')).update(text).digest('hex');
}

/** RFC 8785: the one text for a JSON value, whatever the order of its keys. */
export function canonicalJson(value: unknown): string {
  return canonicalize(value);
}
