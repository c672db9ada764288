import { joinKeys } from '../bson/joined-key.js';
import { toDouble } from '../bson/numbers.js';
import { toText } from '../bson/to-text.js';
import { type BsonValue, bsonType, documentValue, fieldsOf } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { arrayRows } from './array-rows.js';
import { type Path, parseStrictPath } from './path.js';

export interface SortField {
  path: Path;
  descending: boolean;
}

export type SortOrder = SortField[];

const memoryLimit = 100 * 1024 * 1024;

/** @throws CommandError 15974 for directions that are no numbers, 15975 for others than 1 and -1, 2 for `$meta` */
export function parseSort(sort: BsonValue): SortOrder {
  return fieldsOf(sort).map(([name, direction]) => {
    if (direction.type === bsonType.document) {
      throw new CommandError(code.badValue, `sorting by an expression is not supported: ${toText(direction)}`);
    }
    if (!direction.isNumber) throw new CommandError(15974, '$sort key ordering must be specified using a number');
    const sign = toDouble(direction);
    if (sign !== 1 && sign !== -1) {
      throw new CommandError(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)');
    }
    if (name.startsWith('$')) throw new CommandError(16410, `Field names may not start with '$': ${name}`);
    return { path: parseStrictPath(name), descending: sign < 0 };
  });
}

/**
 * A document's place in a sort order: compare with memcmp. Where arrays give it several, the one that comes first.
 *
 * @throws CommandError 2 where two fields run through different arrays
 */
export function sortKey(order: SortOrder, document: Buffer): Buffer {
  let first: Buffer | undefined;
  try {
    arrayRows(
      documentValue(document),
      order.map(({ path }) => path),
      (cells) => {
        const key = joinKeys(cells, order);
        if (first === undefined || key.compare(first) < 0) first = key;
      },
    );
  } catch (err) {
    if (!(err instanceof CommandError) || err.code !== code.parallelArrays) throw err;
    throw new CommandError(code.badValue, 'cannot sort with keys that are parallel arrays');
  }
  return first ?? Buffer.alloc(0);
}

interface Entry {
  /** the key's first bytes as a number: comparing these mostly decides, and takes no call out of JavaScript */
  head: number;
  key: Buffer;
  at: number;
  document: Buffer;
}

const headBytes = 6;

/** Orders as the bytes do, as far as they go: a shorter key counts as filled up with zeros. */
function headOf(key: Buffer): number {
  if (key.length >= headBytes) return key.readUIntBE(0, headBytes);
  return key.length === 0 ? 0 : key.readUIntBE(0, key.length) * 256 ** (headBytes - key.length);
}

const byKey = (a: Entry, b: Entry) => a.head - b.head || a.key.compare(b.key) || a.at - b.at;

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
    const key = sortKey(this.order, document);
    this.entries.push({ head: headOf(key), key, at: this.seen++, document });
    this.bytes += document.length;
    if (this.entries.length >= 2 * this.limit + 1000) this.prune();
    if (this.bytes > memoryLimit) {
      this.prune();
      if (this.bytes > memoryLimit) {
        throw new CommandError(code.memoryLimit, 'Sort exceeded memory limit of 104857600 bytes; an index would help.');
      }
    }
  }

  /** bytes of the documents that are kept */
  get size(): number {
    return this.bytes;
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
