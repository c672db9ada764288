import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { Random } from '../support/seeded.js';

const pageSize = 4096;

/** LMDB's page header: u64 page number, u64 transaction, u16 padding, u16 flags. */
const flagsAt = 18;
const kinds = { 1: 'branch', 2: 'leaf', 4: 'overflow', 8: 'meta' } as const;
type PageKind = (typeof kinds)[keyof typeof kinds] | 'other';

/** Shortens a data file. @returns what was done, in words */
export function cut(path: string, random: Random): string {
  const fd = openSync(path, 'r+');
  try {
    const { size } = fstatSync(fd);
    const lengths: readonly (() => number)[] = [
      () => size - random.between(1, 200),
      () => size - pageSize * random.between(1, 8),
      () => size - random.between(1, Math.floor(size / 2)),
      () => random.between(1, size - 1),
      () => random.between(0, 2 * pageSize),
    ];
    const length = random.pick(lengths)();
    ftruncateSync(fd, length);
    return `cut from ${size} to ${length} bytes`;
  } finally {
    closeSync(fd);
  }
}

/** Garbles one to three pages of a data file; every kind of page is as likely. @returns what was done, in words */
export function flip(path: string, random: Random): string {
  const file = readFileSync(path);
  const pages = Math.floor(file.length / pageSize);
  const byKind = new Map<PageKind, number[]>();
  for (let page = 0; page < pages; page += 1) {
    const kind = kindOf(file, page);
    byKind.set(kind, [...(byKind.get(kind) ?? []), page]);
  }
  const fd = openSync(path, 'r+');
  try {
    const done: string[] = [];
    for (let left = random.chance(0.7) ? 1 : random.between(2, 3); left > 0; left -= 1) {
      const kind = random.pick([...byKind.keys()]);
      const page = random.pick(byKind.get(kind) ?? []);
      const content = file.subarray(page * pageSize, (page + 1) * pageSize);
      done.push(`page ${page} (${kind}): ${garble(content, file, pages, random)}`);
      writeSync(fd, content, 0, pageSize, page * pageSize);
    }
    return done.join('; ');
  } finally {
    closeSync(fd);
  }
}

function kindOf(file: Buffer, page: number): PageKind {
  const flags = file.readUInt16LE(page * pageSize + flagsAt);
  return kinds[(flags & 0x0f) as keyof typeof kinds] ?? 'other';
}

/** Changes one page in place. */
function garble(content: Buffer, file: Buffer, pages: number, random: Random): string {
  const flipBits = (from: number, to: number, count: number) => {
    const places = Array.from({ length: count }, () => [random.between(from, to), random.between(0, 7)] as const);
    for (const [at, bit] of places) content[at] = (content[at] ?? 0) ^ (1 << bit);
    return `bits ${places.map(([at, bit]) => `${at}.${bit}`).join(' ')} flipped`;
  };
  const ways: readonly (() => string)[] = [
    () => flipBits(0, pageSize - 1, random.between(1, 8)),
    // Header and node pointers, where one bit moves a whole tree.
    () => flipBits(0, 200, random.between(1, 3)),
    () => {
      const [at, bytes] = [random.between(0, pageSize - 64), random.bytes(random.between(1, 64))];
      bytes.copy(content, at);
      return `${bytes.length} bytes from ${at} on overwritten`;
    },
    () => {
      content.fill(0);
      return 'zeroed';
    },
    () => {
      const from = 512 * random.between(1, 7);
      content.fill(0, from);
      return `zeroed from ${from} on`;
    },
    () => {
      const other = random.between(0, pages - 1);
      Buffer.from(file.subarray(other * pageSize, (other + 1) * pageSize)).copy(content);
      return `overwritten with page ${other}`;
    },
  ];
  return random.pick(ways)();
}
