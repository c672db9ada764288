import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { promisedLength } from '../../embedded/lmdb-file.js';
import { pageSize, pagesByKind } from '../support/lmdb-pages.js';
import type { Random } from '../support/seeded.js';

/** What was done to a data file. */
export interface Damage {
  /** in words */
  readonly what: string;
  /** whether the server must find it at the start: the file is shorter than LMDB's own last page */
  readonly atStart: boolean;
}

/** Shortens a data file. */
export function cut(path: string, random: Random): Damage {
  const fd = openSync(path, 'r+');
  try {
    const { size } = fstatSync(fd);
    // The file may be longer than what LMDB uses of it.
    const used = promisedLength(fd) ?? size;
    const end = random.chance(0.3) ? size : used;
    const lengths: readonly (() => number)[] = [
      () => end - random.between(1, 200),
      () => end - pageSize * random.between(1, 8),
      () => end - random.between(1, Math.floor(end / 2)),
      () => random.between(1, end - 1),
      () => random.between(0, 2 * pageSize),
    ];
    const length = random.pick(lengths)();
    ftruncateSync(fd, length);
    return { what: `cut from ${size} to ${length} bytes, ${used} are in use`, atStart: length < used };
  } finally {
    closeSync(fd);
  }
}

/** Garbles one to three pages of a data file; every kind of page is as likely. */
export function flip(path: string, random: Random): Damage {
  const file = readFileSync(path);
  const pages = Math.floor(file.length / pageSize);
  const byKind = pagesByKind(file);
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
    return { what: done.join('; '), atStart: false };
  } finally {
    closeSync(fd);
  }
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
