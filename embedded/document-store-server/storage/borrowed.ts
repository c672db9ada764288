import { BsonValue, bsonType } from '../bson/value.js';
import type { Table } from './store.js';

let shared: Uint8Array | undefined;
let view: Buffer = Buffer.alloc(0);

/**
 * A document where LMDB puts what it reads: nothing is copied, and it is good until the next read of any table. What is
 * to last longer is kept with `keep`.
 */
export function borrow(table: Table, key: Buffer): BsonValue | undefined {
  const read = table.getBinaryFast(key);
  if (read === undefined) return undefined;
  // LMDB's own buffer is longer than the value and claims another length; large values lie elsewhere each time
  if (read !== shared) {
    view = Buffer.from(read.buffer, read.byteOffset, read.byteLength);
    shared = Buffer.isBuffer(read) ? read : undefined;
  }
  return new BsonValue(bsonType.document, view, 0, read.length);
}

/** The bytes of a borrowed document, for good. They share memory with nothing else, so they keep nothing else alive. */
export function keep({ buffer, start, end }: BsonValue): Buffer {
  const bytes = Buffer.allocUnsafeSlow(end - start);
  buffer.copy(bytes, 0, start, end);
  return bytes;
}
