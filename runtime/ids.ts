import { createHmac, hash } from 'node:crypto';
import { v7 } from 'uuid';

/** 6f1c2a52-8d0b-5c43-9a77-3c1d0f5b7e21 */
const namespace = Buffer.from('6f1c2a528d0b5c439a773c1d0f5b7e21', 'hex');

/** A fresh, time-ordered id. */
export function newId(): string {
  return v7();
}

/** The same id for the same parts, for ever: UUIDv5 over the parts joined by line breaks. */
export function deriveId(...parts: readonly (string | number)[]): string {
  return idOf(parts.join('\n'));
}

/** UUIDv5 of a text that is an identity by itself, such as an event's hash. */
export function idOf(text: string): string {
  const hex = hash('sha1', Buffer.concat([namespace, Buffer.from(text)]), 'hex');
  const variant = '89ab'[Number.parseInt(hex.charAt(16), 16) & 3];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** SHA-256 as 64 hexadecimal digits. */
export function sha256(text: string): string {
  return hash('sha256', text, 'hex');
}

/** HMAC-SHA-256 as 64 hexadecimal digits. `secret` is the key in hexadecimal. */
export function hmac(secret: string, text: string): string {
  return createHmac('sha256', Buffer.from(secret, 'hex')).update(text).digest('hex');
}

/**
 * RFC 8785: the one text for a JSON value, whatever the order of its keys.
 *
 * @throws TypeError for what JSON cannot hold
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value === 'object') return canonicalObject(value);
  throw new TypeError(`JSON cannot hold ${String(value)}.`);
}

/** All but control characters, quotes, backslashes and halves of pairs: those `JSON.stringify` knows how to write. */
const notPlain = /[^ !#-[\]-\ud7ff\ue000-\uffff]/;

function quoted(text: string): string {
  return notPlain.test(text) ? JSON.stringify(text) : `"${text}"`;
}

function canonicalObject(value: object): string {
  if ('toJSON' in value) return canonicalJson(JSON.parse(JSON.stringify(value)));
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  const entries = value as Readonly<Record<string, unknown>>;
  let text = '';
  for (const key of Object.keys(entries).sort()) {
    const item = entries[key];
    if (item !== undefined) text += `${text === '' ? '' : ','}${quoted(key)}:${canonicalJson(item)}`;
  }
  return `{${text}}`;
}
