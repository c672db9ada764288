import { closeSync, existsSync, openSync, readSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Raised when a data directory cannot be served; the message is one sentence for the operator. */
export class DataDirError extends Error {
  override readonly name = 'DataDirError';
}

/**
 * LMDB maps its file and does not see that the end is missing: it would serve less, or die of SIGBUS. The newer of its
 * two meta pages names the last page in use; a file that ends before it was cut.
 *
 * @param known whether a store was opened here before, so that an empty file is a loss and not a beginning
 * @throws DataDirError
 */
export function checkFileLength(path: string, known: boolean): void {
  const size = existsSync(path) ? statSync(path).size : 0;
  if (size === 0 && !known) return;
  const needed = size === 0 ? undefined : promisedBy(path);
  if (needed === undefined) throw new DataDirError(`${path} is not a readable data file; restore a backup.`);
  if (size < needed) {
    throw new DataDirError(
      `${path} was cut: it has ${size} bytes and its own index speaks of ${needed}; restore a backup.`,
    );
  }
}

const newFilesNeed = 1024 * 1024;

/**
 * LMDB dies of SIGBUS or SIGSEGV where the disk has no room for its first pages or for its lock file, which it makes
 * beside the data file. Where both are there, none is needed.
 *
 * @throws DataDirError when files are to be made and there is too little room for them
 */
export function checkRoomForFiles(path: string, lockPath = `${path}-lock`): void {
  if (existsSync(path) && existsSync(lockPath)) return;
  const { bavail, bsize } = statfsSync(dirname(path));
  const free = bavail * bsize;
  if (free >= newFilesNeed) return;
  throw new DataDirError(
    `The disk of ${dirname(path)} has ${free} bytes left, and the files to make there need ${newFilesNeed}; make room on it and start again.`,
  );
}

/** Offsets of LMDB's 64-bit meta page, little-endian, behind a page header of 24 bytes that begins with number and txn. */
const meta = { size: 168, magicAt: 24, pageSizeAt: 48, rootAt: 136, lastPageAt: 144, txnAt: 152, magic: 0xbeefc0de };

/**
 * LMDB takes the meta page with the higher transaction and asks no more: where the newer one is damaged, it would go back
 * by a transaction without a word. Transactions alternate between the two pages, and each names the root page that its
 * own transaction wrote, which stays as it is until the next but one.
 *
 * @throws DataDirError when that does not hold
 */
export function checkMetaPages(path: string): void {
  const fd = openSync(path, 'r');
  try {
    const pageSize = readAt(fd, 0, meta.size).readUInt32LE(meta.pageSizeAt);
    const txns = [0, 1].map((index) => {
      const page = readAt(fd, index * pageSize, meta.size);
      const [txn, root] = [page.readBigUInt64LE(meta.txnAt), page.readBigInt64LE(meta.rootAt)];
      const written = txn === 0n ? undefined : readAt(fd, Number(root) * pageSize, 16);
      const isRoot = written?.readBigInt64LE(0) === root && written.readBigUInt64LE(8) === txn;
      const inPlace = page.readUInt32LE(meta.magicAt) === meta.magic && txn % 2n === BigInt(index);
      return txn === 0n || (isRoot && inPlace) ? txn : undefined;
    });
    const [even, odd] = txns;
    const apart = even === undefined || odd === undefined ? undefined : even - odd;
    if (apart === 1n || apart === -1n || (even === 0n && odd === 0n)) return;
  } finally {
    closeSync(fd);
  }
  throw new DataDirError(`${path} is damaged: its first pages do not say which state is the last; restore a backup.`);
}

/** Bytes of a file; zeros where there are none. */
function readAt(fd: number, offset: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  if (offset >= 0 && Number.isSafeInteger(offset)) readSync(fd, bytes, 0, size, offset);
  return bytes;
}

function promisedBy(path: string): number | undefined {
  const fd = openSync(path, 'r');
  try {
    return promisedLength(fd);
  } finally {
    closeSync(fd);
  }
}

/** How long the newer meta page says that the file must be; undefined where there is none. @param fd an LMDB data file */
export function promisedLength(fd: number): number | undefined {
  const readMeta = (offset: number) => {
    const page = Buffer.alloc(meta.size);
    if (readSync(fd, page, 0, meta.size, offset) < meta.size) return undefined;
    if (page.readUInt32LE(meta.magicAt) !== meta.magic) return undefined;
    const pageSize = page.readUInt32LE(meta.pageSizeAt);
    const length = (Number(page.readBigUInt64LE(meta.lastPageAt)) + 1) * pageSize;
    return { pageSize, length, txn: Number(page.readBigUInt64LE(meta.txnAt)) };
  };
  const first = readMeta(0);
  if (first === undefined) return undefined;
  const second = readMeta(first.pageSize);
  return second !== undefined && second.txn > first.txn ? second.length : first.length;
}
