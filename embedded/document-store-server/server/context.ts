import type { Logger } from '../../../runtime/logger.js';
import { type BsonValue, bsonType, documentValue } from '../bson/value.js';
import { writeDocument } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import { type Expressions, expressionsWith } from '../expressions/compile.js';
import { checkDeadline } from '../query/pipeline.js';
import type { ScanCounts } from '../query/scan.js';
import type { Collection, Index } from '../storage/catalogue.js';
import type { Store, WriteOptions } from '../storage/store.js';
import type { Clock } from '../update/clock.js';
import type { Arguments } from './arguments.js';
import type { Batch, Cursors } from './cursors.js';
import type { Sessions } from './sessions.js';

export interface Server {
  store: Store;
  cursors: Cursors;
  sessions: Sessions;
  clock: Clock;
  log: Logger;
  startedAt: number;
  connections(): number;
}

/** One command being answered. */
export interface Context {
  server: Server;
  database: string;
  args: Arguments;
  /** milliseconds on performance.now()'s clock after which the work is given up; Infinity without maxTimeMS */
  deadline: number;
  /** what finding documents has looked at so far */
  examined: ScanCounts;
  connectionId: number;
}

export type Reply = Record<string, unknown>;
export type Handler = (context: Context) => Reply | Promise<Reply>;

/** The compiler of a command's expressions; `$$NOW` is the same in all of them. @param args of a command that has `let` */
export function expressionsOf({ server }: Context, args?: Arguments): Expressions {
  return expressionsWith(new Date(server.clock.now()), args?.document('let'));
}
/** For a write that makes room in the end. */
export const removing: WriteOptions = { removes: true };

/** Runs a write in the next transaction, unless its time is over by then. It runs in one piece once begun. */
export function write<T>({ server, deadline }: Context, work: () => T, options?: WriteOptions): Promise<T> {
  return server.store.write(() => {
    checkDeadline(deadline);
    return work();
  }, options);
}

export function findCollection({ server, database }: Context, name: string): Collection | undefined {
  return server.store.catalogue.find(database, name);
}

export function findOrCreate({ server, database }: Context, name: string): Collection {
  return server.store.catalogue.find(database, name) ?? server.store.catalogue.create(database, name);
}

export function cursorReply(batch: Batch, namespace: string, name: 'firstBatch' | 'nextBatch' = 'firstBatch'): Reply {
  return { cursor: { [name]: batch.documents, id: batch.id, ns: namespace } };
}

/** The index a client insists on by name or key pattern. @throws CommandError 2 when there is none such */
export function parseHint(
  collection: Collection | undefined,
  hint: BsonValue | undefined,
): Index | 'natural' | undefined {
  if (hint === undefined || collection === undefined) return undefined;
  if (hint.type === bsonType.document && hint.end - hint.start === 5) return undefined;
  if (hint.type === bsonType.document && hint.bytes.equals(writeDocument({ $natural: 1 }))) return 'natural';
  const [index, ...others] = collection.indexes.filter((candidate) =>
    hint.type === bsonType.string
      ? candidate.name === hint.text
      : hint.type === bsonType.document && documentValue(candidate.pattern).bytes.equals(hint.bytes),
  );
  if (others.length > 0) {
    throw new CommandError(code.indexNotFound, 'Hint matched multiple indexes, must hint by index name.');
  }
  if (index === undefined) {
    throw new CommandError(
      code.badValue,
      'planner returned error :: caused by :: hint provided does not correspond to an existing index; supported: one by its name or key pattern, or { $natural: 1 }',
    );
  }
  return index;
}
