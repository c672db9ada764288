import { emptyArrayKey, encodeKey, invert, missingKey } from '../bson/key-encoding.js';
import { toDouble } from '../bson/numbers.js';
import { toText } from '../bson/to-text.js';
import { type BsonValue, bsonType, documentValue, fieldsOf } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { type Path, parseStrictPath, visitPath } from './path.js';

export interface SortField {
  path: Path;
  descending: boolean;
}

export type SortOrder = SortField[];

const memoryLimit = 100 * 1024 * 1024;

/** @throws CommandError 15975 for directions other than 1 and -1, 2 for `$meta` */
export function parseSort(sort: BsonValue): SortOrder {
  return fieldsOf(sort).map(([name, direction]) => {
    if (direction.type === bsonType.document) {
      throw new CommandError(code.badValue, `sorting by an expression is not supported: ${toText(direction)}`);
    }
    const sign = direction.isNumber ? toDouble(direction) : 0;
    if (sign !== 1 && sign !== -1) {
      throw new CommandError(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)');
    }
    if (name.startsWith('$')) throw new CommandError(16410, `Field names may not start with '$': ${name}`);
    return { path: parseStrictPath(name), descending: sign < 0 };
  });
}

/** A field's key for sorting: of an array the least item, or the greatest when descending. */
function fieldKey(document: BsonValue, field: SortField): Buffer {
  let best: Buffer | undefined;
  const offer = (key: Buffer) => {
    if (best === undefined || key.compare(best) < 0 !== field.descending) best = key;
  };
  visitPath(document, field.path, true, (value) => {
    if (value === undefined) offer(missingKey);
    else if (value.type !== bsonType.array) offer(encodeKey(value));
    return false;
  });
  if (best === undefined) {
    visitPath(document, field.path, false, (value) => {
      if (value?.type !== bsonType.array) return false;
      offer(value.end - value.start === 5 ? emptyArrayKey : encodeKey(value));
      return false;
    });
  }
  const key = best ?? missingKey;
  return field.descending ? invert(key) : key;
}

/** A document's place in a sort order: compare with memcmp. */
export function sortKey(order: SortOrder, document: Buffer): Buffer {
  const value = documentValue(document);
  return Buffer.concat(order.map((field) => fieldKey(value, field)));
}

interface Entry {
  key: Buffer;
  at: number;
  document: Buffer;
}

const byKey = (a: Entry, b: Entry) => a.key.compare(b.key) || a.at - b.at;

/** Collects documents and gives them back in order; with a limit it keeps only about that many. Equal keys keep their order. */
export class Sorter {
  private entries: Entry[] = [];
  private bytes = 0;
  private seen = 0;

  constructor(
    private readonly order: SortOrder,
    private readonly limit = Number.POSITIVE_INFINITY,
  ) {}

  /** @throws CommandError 292 beyond 100 MB of documents */
  add(document: Buffer): void {
    this.entries.push({ key: sortKey(this.order, document), at: this.seen++, document });
    this.bytes += document.length;
    if (this.entries.length >= 2 * this.limit + 1000) this.prune();
    if (this.bytes > memoryLimit) {
      this.prune();
      if (this.bytes > memoryLimit) {
        throw new CommandError(code.memoryLimit, 'Sort exceeded memory limit of 104857600 bytes; an index would help.');
      }
    }
  }

  private prune(): void {
    this.entries.sort(byKey);
    if (this.entries.length <= this.limit) return;
    this.entries.length = this.limit;
    this.bytes = this.entries.reduce((sum, entry) => sum + entry.document.length, 0);
  }

  result(): Buffer[] {
    this.prune();
    return this.entries.map((entry) => entry.document);
  }
}
