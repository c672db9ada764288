import { ObjectId } from 'bson';
import { largestDocument } from '../bson/document-size.js';
import { toInteger } from '../bson/numbers.js';
import { BsonValue, bsonType, documentValue } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { type Filter, parseFilter } from '../query/filter.js';
import { Turns } from '../query/pipeline.js';
import type { Found } from '../query/scan.js';
import type { Collection } from '../storage/catalogue.js';
import { idOf, insertRecord, removeRecord, replaceRecord } from '../storage/records.js';
import { applyUpdate } from '../update/apply.js';
import type { Clock } from '../update/clock.js';
import { checkIdValue } from '../update/field-names.js';
import { parseUpdate, type Update } from '../update/modifiers.js';
import { checkLevels, levelsIn } from '../update/nesting.js';
import { matchedPosition } from '../update/positional.js';
import { stampTimestamps, withIdFirst } from '../update/replacement.js';
import { upsertDocument } from '../update/upsert.js';
import { Arguments } from './arguments.js';
import {
  type Context,
  expressionsOf,
  findCollection,
  findOrCreate,
  parseHint,
  type Reply,
  type Server,
} from './context.js';
import { runStatements } from './statements.js';
import { forEachMatch } from './targets.js';

const largestBatch = 100_000;

export function newObjectId(): BsonValue {
  const bytes = Buffer.from(new ObjectId().id);
  return new BsonValue(bsonType.objectId, bytes, 0, bytes.length);
}

/** Reads the arguments of a write; `explain` reads the same. */
export function readWrite({ args }: Context, field: string): { name: string; ordered: boolean; statements: Buffer[] } {
  const name = args.collection();
  const ordered = args.value('ordered') === undefined || args.flag('ordered');
  const statements = args.documents(field);
  args.flags('bypassDocumentValidation');
  if (field !== 'documents') args.document('let');
  args.finish();
  if (statements.length === 0 || statements.length > largestBatch) {
    throw new CommandError(
      16,
      `Write batch sizes must be between 1 and ${largestBatch}. Got ${statements.length} operations.`,
    );
  }
  return { name, ordered, statements };
}

/** Of a hundred thousand statements, with turns for the other clients. */
async function parseStatements<T>(statements: readonly Buffer[], parse: (statement: Buffer) => T): Promise<T[]> {
  const turns = new Turns(() => Number.POSITIVE_INFINITY);
  const parsed: T[] = [];
  for (const statement of statements) {
    parsed.push(parse(statement));
    if (turns.isOver()) await turns.next();
  }
  return parsed;
}

/** A document as an insert stores it. */
function toInsert(document: Buffer, clock: Clock): Buffer {
  if (document.length > largestDocument) {
    throw new CommandError(
      code.badValue,
      `object to insert too large. size in bytes: ${document.length}, max size: ${largestDocument}`,
    );
  }
  const stored = withIdFirst(document, newObjectId);
  checkIdValue(idOf(stored), true);
  checkLevels(levelsIn(documentValue(document), 1));
  return stampTimestamps(stored, clock);
}

export async function insert(context: Context): Promise<Reply> {
  const { name, ordered, statements } = readWrite(context, 'documents');
  const { store, clock } = context.server;
  let n = 0;
  const run = (index: number): undefined => {
    const document = statements[index];
    if (document === undefined) return;
    const stored = toInsert(document, clock);
    insertRecord(store, findOrCreate(context, name), stored);
  };
  const errors = await runStatements(context, statements.length, ordered, run, () => n++);
  return { n, ...errors };
}

/** Inserts what an upsert makes of its query and update. @throws CommandError 17420 beyond 16 MB */
export function insertUpsert(server: Server, collection: Collection, filter: Filter, update: Update): Buffer {
  const document = upsertDocument(update, filter, newObjectId, server.clock);
  if (document.length > largestDocument) {
    throw new CommandError(17420, `Document to upsert is larger than ${largestDocument}`);
  }
  insertRecord(server.store, collection, document);
  return document;
}

interface UpdateStatement {
  query: BsonValue;
  update: BsonValue;
  arrayFilters: BsonValue | undefined;
  multi: boolean;
  upsert: boolean;
  hint: BsonValue | undefined;
}

export function parseUpdateStatement(statement: Buffer): UpdateStatement {
  const args = new Arguments('updates', documentValue(statement));
  args.refuse('collation', 'c', 'sampleId');
  const parsed = {
    query: args.required('q', args.document('q')),
    update: args.required('u', args.value('u')),
    arrayFilters: args.value('arrayFilters'),
    multi: args.flag('multi'),
    upsert: args.flag('upsert'),
    hint: args.hint(),
  };
  args.finish();
  if (parsed.update.type !== bsonType.document && parsed.update.type !== bsonType.array) {
    throw new CommandError(code.failedToParse, 'Update argument must be either an object or an array');
  }
  return parsed;
}

/** @throws CommandError 9 for a replacement of many */
export function checkMulti(change: Update, multi: boolean): void {
  if (!multi || change.kind !== 'replace') return;
  throw new CommandError(code.failedToParse, 'multi update is not supported for replacement-style update');
}

/** Updates a document that was found. @returns whether it changed @throws CommandError 17419 beyond 16 MB */
export function updateRecord(
  { store, clock }: Server,
  collection: Collection,
  { record, document }: Found,
  filter: Filter,
  update: Update,
): boolean {
  const after = applyUpdate(update, document, clock, matchedPosition(update, filter, document));
  if (after === document) return false;
  if (after.length > largestDocument) {
    throw new CommandError(17419, `Resulting document after update is larger than ${largestDocument}`);
  }
  replaceRecord(store, collection, record, document, after);
  return true;
}

export async function update(context: Context): Promise<Reply> {
  const { name, ordered, statements } = readWrite(context, 'updates');
  const parsed = await parseStatements(statements, parseUpdateStatement);
  const { server } = context;
  const expressions = expressionsOf(context, context.args);
  const totals = { n: 0, nModified: 0 };
  const upserted: { index: number; _id: BsonValue }[] = [];
  // of the statement under way: one that fails halfway is not counted
  let tally = { n: 0, nModified: 0 };
  const run = (index: number) => {
    const statement = parsed[index];
    if (statement === undefined) return undefined;
    tally = { n: 0, nModified: 0 };
    const { multi } = statement;
    const filter = parseFilter(statement.query, expressions);
    const change = parseUpdate(statement.update, statement.arrayFilters, expressions);
    checkMulti(change, multi);
    const existing = findCollection(context, name);
    const hint = parseHint(existing, statement.hint);
    return forEachMatch(
      context,
      existing,
      { filter, order: [], hint, multi },
      {
        each(found) {
          if (existing !== undefined && updateRecord(server, existing, found, filter, change)) tally.nModified++;
          tally.n++;
        },
        none() {
          if (!statement.upsert) return;
          const document = insertUpsert(server, findOrCreate(context, name), filter, change);
          upserted.push({ index, _id: idOf(document) });
          tally.n++;
        },
      },
    );
  };
  const errors = await runStatements(context, statements.length, ordered, run, () => {
    totals.n += tally.n;
    totals.nModified += tally.nModified;
  });
  return { ...totals, ...(upserted.length > 0 ? { upserted } : {}), ...errors };
}

export function parseDeleteStatement(statement: Buffer): {
  query: BsonValue;
  hint: BsonValue | undefined;
  multi: boolean;
} {
  const args = new Arguments('deletes', documentValue(statement));
  args.refuse('collation');
  const limit = args.required('limit', args.value('limit'));
  const query = args.required('q', args.document('q'));
  const hint = args.hint();
  args.finish();
  const most = toInteger(limit);
  if (most !== 0n && most !== 1n)
    throw new CommandError(code.failedToParse, 'The limit field in delete objects must be 0 or 1');
  return { query, hint, multi: most === 0n };
}

export async function remove(context: Context): Promise<Reply> {
  const { name, ordered, statements } = readWrite(context, 'deletes');
  const parsed = await parseStatements(statements, parseDeleteStatement);
  const { store } = context.server;
  const expressions = expressionsOf(context, context.args);
  let n = 0;
  let tally = 0;
  const run = (index: number) => {
    const statement = parsed[index];
    if (statement === undefined) return undefined;
    tally = 0;
    const collection = findCollection(context, name);
    const filter = parseFilter(statement.query, expressions);
    const hint = parseHint(collection, statement.hint);
    return forEachMatch(
      context,
      collection,
      { filter, order: [], hint, multi: statement.multi },
      {
        each({ record, document }) {
          if (collection !== undefined) removeRecord(store, collection, record, document);
          tally++;
        },
        none() {},
        removes: true,
      },
    );
  };
  const count = () => {
    n += tally;
  };
  const errors = await runStatements(context, statements.length, ordered, run, count, { removes: true });
  return { n, ...errors };
}
