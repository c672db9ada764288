import { createHash } from 'node:crypto';
import { writeU64 } from './wire.js';

/** STORED FORMAT: the keys of the tables. Integers are big-endian, so that keys sort as their numbers do. */

const longestPlainName = 1_900;

export function positionKey(position: number): Buffer {
  const key = Buffer.allocUnsafe(8);
  writeU64(key, position, 0);
  return key;
}

export const streamKey = positionKey;

export function revisionKey(streamId: number, revision: number): Buffer {
  const key = Buffer.allocUnsafe(16);
  writeU64(key, streamId, 0);
  writeU64(key, revision, 8);
  return key;
}

/** LMDB keys end at 1,978 bytes: longer names are kept under their hash. The first byte tells which it is. */
export function nameKey(name: string): Buffer {
  const bytes = Buffer.from(name, 'utf8');
  return bytes.length <= longestPlainName
    ? Buffer.concat([Buffer.from([0]), bytes])
    : Buffer.concat([Buffer.from([1]), createHash('sha256').update(bytes).digest()]);
}
