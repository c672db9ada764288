import { fixedPages, pageBytes } from '../disk-room.js';
import type { Transaction } from './accepted.js';
import type { Storage } from './storage.js';

/** A value longer than this gets pages of its own. */
const sharedPageValue = 2_000;
/** Of the trees that are written at random places, from root to leaf with splits, for one stream. */
const pagesAStream = 16;

/** Enough for one that removes so many events, wherever they lie. */
export const removalNeeds = (events: number): number => (fixedPages + 3 * events) * pageBytes;

/** The most that a commit of these can need at the end of the file, in bytes; LMDB uses free pages before. */
export function bytesNeeded(
  storage: Storage,
  { records, heads, names }: Pick<Transaction, 'records' | 'heads' | 'names'>,
): number {
  let bytes = 400 * heads.length;
  for (const { value } of [...records, ...names]) {
    bytes += value.length > sharedPageValue ? value.length + pageBytes + 200 : 2 * value.length + 200;
  }
  for (const { key } of names) bytes += 2 * key.length;
  let touched = heads.length * pagesAStream;
  // No transaction copies more of a tree than there is.
  if (touched > fixedPages) touched = Math.min(touched, treePages(storage));
  return bytes + (fixedPages + touched) * pageBytes;
}

function treePages(storage: Storage): number {
  let pages = 0;
  for (const table of [storage.idx, storage.names, storage.heads]) {
    const stats = table.getStats() as { treeBranchPageCount: number; treeLeafPageCount: number };
    pages += stats.treeBranchPageCount + stats.treeLeafPageCount;
  }
  return pages;
}
