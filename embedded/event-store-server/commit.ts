import type { Transaction } from './accepted.js';
import { encodeHead } from './head.js';
import { positionKey, revisionKey, streamKey } from './keys.js';
import { putState, type Storage } from './storage.js';

export interface QueuedRecord {
  position: number;
  streamId: number;
  revision: number;
  value: Buffer;
}

const limitMs = 60_000;

/**
 * Writes records, their index, the heads they move and the log's state in one transaction, durable when it resolves.
 *
 * @throws what LMDB failed with, or an Error when the disk does not answer in a minute; nobody knows then what is stored
 */
export async function commit(storage: Storage, { records, heads, names, state }: Transaction): Promise<void> {
  const written = storage.root.batch(() => {
    for (const { position, streamId, revision, value } of records) {
      const key = positionKey(position);
      void storage.log.put(key, value);
      void storage.idx.put(revisionKey(streamId, revision), key);
    }
    for (const head of heads) {
      const key = streamKey(head.streamId);
      head.isNew = false;
      void storage.heads.put(key, encodeHead(key, head));
    }
    for (const { key, value } of names) void storage.names.put(key, value);
    putState(storage, state);
  });
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`A commit took longer than ${limitMs} ms.`)), limitMs);
  });
  try {
    await durable(Promise.race([written, limit]));
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for what LMDB writes. @throws what LMDB failed with */
export async function durable(written: Promise<unknown>): Promise<void> {
  try {
    await written;
  } catch (err) {
    throw await causeOf(err);
  }
}

/** LMDB's own reason, which its error promises apart. */
async function causeOf(err: unknown): Promise<unknown> {
  const promised: unknown = err instanceof Error ? Reflect.get(err, 'commitError') : undefined;
  if (!(promised instanceof Promise)) return err;
  const late = new Promise((resolve) => setTimeout(resolve, 100, err));
  return Promise.race([promised.catch((cause: unknown) => cause), late]);
}
