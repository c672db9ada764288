import { close, fstatSync, fsync, ftruncateSync, openSync, statfsSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { ABORT, type RootDatabase } from 'lmdb';

/** Raised before a transaction is begun that the disk has no room for: nothing of it was written. */
export class NoRoomError extends Error {
  override readonly name = 'NoRoomError';
  constructor(
    readonly neededBytes: number,
    cause?: unknown,
  ) {
    super(`There is no room on the disk for ${neededBytes} bytes more.`, { cause });
  }
}

/**
 * Room on the disk for what LMDB is about to write. A write of its own that finds the disk full must not happen: the
 * message it makes of that error is longer than the memory it asks for (lmdb-js 3.5), and the process may die or go on
 * with damaged memory. So the file is grown here first, with real blocks, and LMDB writes into what is there already.
 */
export interface DiskRoom {
  /** bytes that are there already, beside what is booked */
  free(): number;
  /** whether that much is there already, beside what is booked */
  has(neededBytes: number): boolean;
  /** Takes it from others until it is released: what a transaction in flight will use is not to be seen as free. */
  book(neededBytes: number): () => void;
  /** Makes room and books it while a transaction is under way. @throws NoRoomError; what the work throws */
  using<T>(neededBytes: number, work: () => Promise<T>): Promise<T>;
  /**
   * Makes room without booking it.
   *
   * @throws NoRoomError when the disk cannot be had, or the reserve would be touched; others are faults of the disk
   */
  secure(neededBytes: number): Promise<void>;
  close(): Promise<void>;
}

export const pageBytes = 4096;

/** An open LMDB file. */
export interface LmdbFile {
  readonly root: RootDatabase<Buffer, Buffer>;
}

const smallestGrowth = 256 * 1024;
const largestGrowth = 4 * 1024 * 1024;
const zeros = Buffer.alloc(256 * 1024);
const full = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/**
 * @param path LMDB's data file
 * @param reserveBytes of the file system, left to others: the file does not grow into them
 */
export function openDiskRoom(storage: LmdbFile, path: string, reserveBytes: number): DiskRoom {
  const fd = openSync(path, 'r+');
  let size = fstatSync(fd).size;
  let booked = 0;
  let growing: Promise<void> = Promise.resolve();
  const lack = (needed: number) => needed + booked - (size - usedBytes(storage));
  /** Inside a write transaction, so that LMDB writes nothing meanwhile: its own pages must not be zeroed or cut off. */
  const alone = (change: () => void) =>
    storage.root.transactionSync(() => {
      change();
      return ABORT;
    });
  const grow = (bytes: number) =>
    alone(() => {
      const before = fstatSync(fd).size;
      const target = Math.ceil((before + bytes) / pageBytes) * pageBytes;
      try {
        for (size = before; size < target; )
          size += writeSync(fd, zeros, 0, Math.min(zeros.length, target - size), size);
      } catch (err) {
        ftruncateSync(fd, before);
        size = before;
        throw err;
      }
    });
  const giveBack = (bytes: number) =>
    alone(() => {
      size = Math.min(size, Math.max(bytes, usedBytes(storage) + booked));
      ftruncateSync(fd, size);
    });

  const secureAlone = async (needed: number): Promise<void> => {
    const missing = lack(needed);
    if (missing <= 0) return;
    const before = size;
    const { bavail, bsize } = statfsSync(path);
    const allowed = bavail * bsize - reserveBytes;
    if (missing > allowed) throw new NoRoomError(missing);
    const ample = Math.min(Math.max(smallestGrowth, before / 8), largestGrowth, allowed);
    try {
      if (ample <= missing || !attempt(() => grow(ample))) grow(missing);
      await promisify(fsync)(fd);
    } catch (err) {
      if (!isFull(err)) throw err;
      giveBack(before);
      throw new NoRoomError(missing, err);
    }
  };
  const room: DiskRoom = {
    free: () => -lack(0),
    has: (needed) => lack(needed) <= 0,
    book(needed) {
      booked += needed;
      let isOpen = true;
      return () => {
        if (isOpen) booked -= needed;
        isOpen = false;
      };
    },
    secure(needed) {
      // One at a time: what one gives back must not be what another was just granted.
      const mine = growing.then(() => secureAlone(needed));
      growing = mine.catch(() => {});
      return mine;
    },
    async using(needed, work) {
      while (!room.has(needed)) await room.secure(needed);
      const release = room.book(needed);
      try {
        return await work();
      } finally {
        release();
      }
    },
    close: () => promisify(close)(fd),
  };
  return room;
}

const isFull = (err: unknown): boolean => err instanceof Error && full.has(String(Reflect.get(err, 'code')));

/** @returns whether there was room for it */
function attempt(write: () => void): boolean {
  try {
    write();
    return true;
  } catch (err) {
    if (isFull(err)) return false;
    throw err;
  }
}

/** How much of its file LMDB uses, in bytes from the beginning. */
export function usedBytes(storage: LmdbFile): number {
  const { lastPageNumber, pageSize } = storage.root.getStats() as { lastPageNumber: number; pageSize: number };
  return (lastPageNumber + 1) * pageSize;
}

/** Every transaction: the roots and right edges of all tables, and the list of free pages. */
export const fixedPages = 96;

/** Enough for a transaction that changes a few small values, whatever LMDB copies for it. */
export const smallWrite = fixedPages * pageBytes;
