import type { Logger } from '../../../runtime/logger.js';
import { toDouble } from '../bson/numbers.js';
import { type BsonValue, bsonType, documentValue, fieldsOf } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { type Expressions, expressionsWith } from '../expressions/compile.js';
import type { Metrics } from '../metrics.js';
import { checkDeadline, type Held } from '../query/pipeline.js';
import type { Hint } from '../query/planner.js';
import type { ScanCounts } from '../query/scan.js';
import type { Collection } from '../storage/catalogue.js';
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
  metrics: Metrics;
  /** milliseconds from which on a command is logged */
  slowMs: number;
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
  /** how documents were found, in words that hold no values */
  plans: Set<string>;
  /** what queries have looked at so far, and what searches of writes have */
  running: ScanCounts[];
  examined: ScanCounts;
  /** what the result keeps in memory */
  held: Held;
  connectionId: number;
  /** the client's session, a UUID as BSON has it */
  session: Buffer | undefined;
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

/** The order of `{ $natural: 1 }` or -1, of a hint or sort; undefined for anything else. @throws CommandError 2 for other orders */
export function parseNatural(document: BsonValue): 'natural' | 'backwards' | undefined {
  const fields = fieldsOf(document);
  const direction = fields.find(([name]) => name === '$natural')?.[1];
  if (direction === undefined) return undefined;
  if (fields.length > 1) throw new CommandError(code.badValue, '$natural cannot stand beside other fields');
  const sign = direction.isNumber ? toDouble(direction) : 0;
  if (sign === 1 || sign === -1) return sign > 0 ? 'natural' : 'backwards';
  throw new CommandError(code.badValue, '$natural must be 1 or -1');
}

/** The index a client insists on by name or key pattern. @throws CommandError 2 when there is none such */
export function parseHint(collection: Collection | undefined, hint: BsonValue | undefined): Hint | undefined {
  if (hint === undefined || collection === undefined) return undefined;
  if (hint.type === bsonType.document && hint.end - hint.start === 5) return undefined;
  const natural = hint.type === bsonType.document ? parseNatural(hint) : undefined;
  if (natural !== undefined) return natural;
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
      'planner returned error :: caused by :: hint provided does not correspond to an existing index; supported: one by its name or key pattern, or { $natural: 1 or -1 }',
    );
  }
  return index;
}
