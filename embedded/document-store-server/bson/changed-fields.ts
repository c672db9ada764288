import { type BsonValue, cstringEnd, valueEnd } from './value.js';

/** The end of the field that begins at `at`, with its type and name. */
function fieldEnd(buffer: Buffer, at: number): number {
  return valueEnd(buffer[at] ?? 0, buffer, cstringEnd(buffer, at + 1) + 1);
}

/**
 * The names of the fields in which two documents differ, as bytes.
 *
 * @returns undefined when they have other fields or another order of fields
 */
export function changedFields(a: BsonValue, b: BsonValue): Buffer[] | undefined {
  const changed: Buffer[] = [];
  let at = a.start + 4;
  let bt = b.start + 4;
  while (at < a.end - 1 && bt < b.end - 1) {
    const end = fieldEnd(a.buffer, at);
    const other = fieldEnd(b.buffer, bt);
    if (end - at !== other - bt || a.buffer.compare(b.buffer, bt, other, at, end) !== 0) {
      const nameEnd = cstringEnd(a.buffer, at + 1);
      const length = nameEnd - at;
      // the byte behind the name is compared too: it ends both
      if (a.buffer.compare(b.buffer, bt + 1, bt + 1 + length, at + 1, nameEnd + 1) !== 0) return undefined;
      changed.push(a.buffer.subarray(at + 1, nameEnd));
    }
    at = end;
    bt = other;
  }
  return at === a.end - 1 && bt === b.end - 1 ? changed : undefined;
}
