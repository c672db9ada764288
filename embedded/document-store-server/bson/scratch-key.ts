import { type BsonValue, bsonType } from './value.js';

/** Where keys are written before they are whole: the next one takes the place of the last. */
const scratch = Buffer.alloc(2_048);
const longestCommon = 256;

export function invertScratch(start: number, end: number): void {
  for (let at = start; at < end; at++) scratch[at] = ~(scratch[at] ?? 0) & 0xff;
}

function scratchDouble(value: number, at: number): number {
  if (Number.isNaN(value)) {
    scratch.fill(0, at, at + 8);
  } else {
    scratch.writeDoubleBE(value === 0 ? 0 : value, at);
    if (value < 0) invertScratch(at, at + 8);
    else scratch[at] = (scratch[at] ?? 0) | 0x80;
  }
  scratch[at + 8] = 0x80;
  return at + 9;
}

function scratchText(bytes: Buffer, start: number, end: number, at: number): number {
  let to = at;
  for (let from = start; from < end; from++) {
    const byte = bytes[from] ?? 0;
    if (byte <= 1) return -1;
    scratch[to++] = byte;
  }
  scratch[to] = 0;
  return to + 1;
}

/**
 * Writes the key of a value of a common kind to the scratch, without anything made for it.
 *
 * @param first the key's first byte, which orders the types
 * @returns where it ends; -1 for other values, and where there is no room
 */
export function scratchKey({ type, buffer, start, end }: BsonValue, first: number, at: number): number {
  if (end - start > longestCommon || at + longestCommon + 16 > scratch.length) return -1;
  scratch[at] = first;
  switch (type) {
    case bsonType.string:
      return scratchText(buffer, start + 4, end - 1, at + 1);
    case bsonType.int32:
      return scratchDouble(buffer.readInt32LE(start), at + 1);
    case bsonType.double:
      return scratchDouble(buffer.readDoubleLE(start), at + 1);
    case bsonType.date:
      for (let byte = 1; byte <= 8; byte++) scratch[at + byte] = buffer[end - byte] ?? 0;
      scratch[at + 1] = (scratch[at + 1] ?? 0) ^ 0x80;
      return at + 9;
    case bsonType.objectId:
    case bsonType.boolean:
    case bsonType.null:
      for (let from = start; from < end; from++) scratch[at + 1 + from - start] = buffer[from] ?? 0;
      return at + 1 + end - start;
    default:
      return -1;
  }
}

/** Writes a key of one byte. @returns where it ends; -1 where there is no room */
export function scratchByte(byte: number, at: number): number {
  if (at >= scratch.length) return -1;
  scratch[at] = byte;
  return at + 1;
}

/** What is written there up to `end`, for good. */
export function copyScratch(end: number): Buffer {
  const key = Buffer.allocUnsafe(end);
  scratch.copy(key, 0, 0, end);
  return key;
}
