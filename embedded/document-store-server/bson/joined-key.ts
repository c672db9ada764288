import { classOf, emptyArrayKey, encodeKey, invert, missingKey } from './key-encoding.js';
import { copyScratch, invertScratch, scratchByte, scratchKey } from './scratch-key.js';
import { BsonValue } from './value.js';

/** What a row of a document holds for a path: a value, nothing where the path leads nowhere, an empty array at its end. */
export type KeyPart = BsonValue | undefined | 'empty';

function partKey(part: KeyPart, descending: boolean): Buffer {
  if (part instanceof BsonValue) return encodeKey(part, descending);
  const plain = part === undefined ? missingKey : emptyArrayKey;
  return descending ? invert(plain) : plain;
}

/** The keys of several values joined, each in the direction of its field. */
export function joinKeys(parts: readonly KeyPart[], fields: readonly { descending: boolean }[]): Buffer {
  let end = 0;
  for (const [field, part] of parts.entries()) {
    const start = end;
    end =
      part instanceof BsonValue
        ? scratchKey(part, classOf(part.type), start)
        : scratchByte((part === undefined ? missingKey : emptyArrayKey)[0] ?? 0, start);
    if (end < 0) {
      return Buffer.concat(parts.map((part, at) => partKey(part, fields[at]?.descending === true)));
    }
    if (fields[field]?.descending === true) invertScratch(start, end);
  }
  return copyScratch(end);
}
