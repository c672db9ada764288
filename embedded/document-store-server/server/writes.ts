import { ObjectId } from 'bson';
import { toInteger } from '../bson/numbers.js';
import { BsonValue, bsonType, documentValue, fieldsOf, getField } from '../bson/value.js';
import { writeFields } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import { type Filter, parseFilter } from '../query/filter.js';
import { matchesFilter } from '../query/match.js';
import { choosePlan } from '../query/planner.js';
import { type Found, scan } from '../query/scan.js';
import { parseSort, type SortOrder, sortKey } from '../query/sort.js';
import type { Collection, Index } from '../storage/catalogue.js';
import { getRecord, idOf, insertRecord, removeRecord, replaceRecord } from '../storage/records.js';
import type { Store } from '../storage/store.js';
import { applyUpdate, upsertDocument } from '../update/apply.js';
import { parseUpdate, type Update } from '../update/modifiers.js';
import { Arguments } from './arguments.js';
import { type Context, findCollection, findOrCreate, parseHint, type Reply, write } from './context.js';

const idName = Buffer.from('_id');
const largestBatch = 100_000;

export function newObjectId(): BsonValue {
  const bytes = Buffer.from(new ObjectId().id);
  return new BsonValue(bsonType.objectId, bytes, 0, bytes.length);
}

interface WriteError {
  index: number;
  code: number;
  errmsg: string;
  [key: string]: unknown;
}

/** Runs statements in order; a refused one is noted, and ends an ordered command. */
function runStatements(statements: Buffer[], ordered: boolean, run: (statement: Buffer, index: number) => void) {
  const errors: WriteError[] = [];
  for (const [index, statement] of statements.entries()) {
    try {
      run(statement, index);
    } catch (err) {
      if (!(err instanceof CommandError) || err.code === code.internal) throw err;
      errors.push({ index, code: err.code, ...err.extra, errmsg: err.message });
      if (ordered) break;
    }
  }
  return errors.length === 0 ? {} : { writeErrors: errors };
}

function readWrite({ args }: Context, field: string): { name: string; ordered: boolean; statements: Buffer[] } {
  const name = args.collection();
  const ordered = args.value('ordered') === undefined || args.flag('ordered');
  const statements = args.documents(field);
  args.allow('bypassDocumentValidation');
  args.refuse('let');
  args.finish();
  if (statements.length === 0 || statements.length > largestBatch) {
    throw new CommandError(
      16,
      `Write batch sizes must be between 1 and ${largestBatch}. Got ${statements.length} operations.`,
    );
  }
  return { name, ordered, statements };
}

function withId(document: Buffer): Buffer {
  const fields = fieldsOf(documentValue(document));
  if (fields[0]?.[0] === '_id') return document;
  const id = getField(documentValue(document), idName) ?? newObjectId();
  return writeFields([['_id', id], ...fields.filter(([name]) => name !== '_id')]);
}

export function insert(context: Context): Promise<Reply> {
  const { name, ordered, statements } = readWrite(context, 'documents');
  const { store } = context.server;
  return write(context, () => {
    const collection = findOrCreate(context, name);
    let n = 0;
    const errors = runStatements(statements, ordered, (document) => {
      insertRecord(store, collection, withId(document));
      n++;
    });
    return { n, ...errors };
  });
}

/** The documents a write is about, found inside its transaction: the first in the order asked for, or all. */
export function findForWrite(
  store: Store,
  collection: Collection,
  filter: Filter,
  options: { multi: boolean; order: SortOrder; hint: Index | 'natural' | undefined },
): Found[] {
  const plan = choosePlan(store, collection, filter, options.order, options.hint);
  let first: { found: Found; key: Buffer } | undefined;
  const all: Found[] = [];
  for (const found of scan(store, collection, plan, filter)) {
    if (found === undefined) continue;
    if (options.multi) {
      all.push({ record: found.record, document: Buffer.alloc(0) });
    } else if (plan.sorted) {
      return [found];
    } else {
      const key = sortKey(options.order, found.document);
      if (first === undefined || key.compare(first.key) < 0) first = { found, key };
    }
  }
  return first === undefined ? all : [first.found];
}

/** The values that a query fixes by equality: the start of an upserted document. */
function equalitiesOf(filter: Filter, into: Map<string, BsonValue> = new Map()): Map<string, BsonValue> {
  if (filter.kind === 'and' || (filter.kind === 'or' && filter.parts.length === 1)) {
    for (const part of filter.parts) equalitiesOf(part, into);
  } else if (filter.kind === 'test' && filter.test.kind === 'eq' && filter.path !== undefined) {
    const { text } = filter.path;
    if (into.has(text)) {
      throw new CommandError(code.notSingleValue, `cannot infer query fields to set, path '${text}' is matched twice`);
    }
    into.set(text, filter.test.operand);
  }
  return into;
}

/** Inserts what an upsert makes of its query and update. */
export function insertUpsert(store: Store, collection: Collection, filter: Filter, update: Update): Buffer {
  const equalities = equalitiesOf(filter);
  if (update.kind === 'replace') for (const path of equalities.keys()) if (path !== '_id') equalities.delete(path);
  const document = upsertDocument(update, [...equalities], newObjectId);
  insertRecord(store, collection, document);
  return document;
}

interface UpdateStatement {
  query: BsonValue;
  update: BsonValue;
  multi: boolean;
  upsert: boolean;
  sort: BsonValue;
  hint: BsonValue | undefined;
}

function parseUpdateStatement(statement: Buffer): UpdateStatement {
  const args = new Arguments('updates', documentValue(statement));
  args.refuse('arrayFilters', 'collation', 'c', 'sampleId');
  const parsed = {
    query: args.required('q', args.document('q')),
    update: args.required('u', args.value('u')),
    multi: args.flag('multi'),
    upsert: args.flag('upsert'),
    sort: args.documentOrEmpty('sort'),
    hint: args.value('hint'),
  };
  args.finish();
  return parsed;
}

/** Updates the found documents. @returns how many changed */
export function updateRecords(
  store: Store,
  collection: Collection,
  found: Found[],
  filter: Filter,
  update: Update,
): { matched: number; modified: number } {
  let matched = 0;
  let modified = 0;
  for (const { record } of found) {
    const before = getRecord(store, collection, record);
    if (before === undefined || !matchesFilter(filter, documentValue(before))) continue;
    const after = applyUpdate(update, before);
    matched++;
    if (after.equals(before)) continue;
    replaceRecord(store, collection, record, before, after);
    modified++;
  }
  return { matched, modified };
}

export function update(context: Context): Promise<Reply> {
  const { name, ordered, statements } = readWrite(context, 'updates');
  const parsed = statements.map(parseUpdateStatement);
  const { store } = context.server;
  return write(context, () => {
    const totals = { n: 0, nModified: 0 };
    const upserted: { index: number; _id: BsonValue }[] = [];
    const errors = runStatements(statements, ordered, (_, index) => {
      const statement = parsed[index];
      if (statement === undefined) return;
      const { multi } = statement;
      const filter = parseFilter(statement.query);
      const change = parseUpdate(statement.update);
      if (multi && change.kind === 'replace') {
        throw new CommandError(code.failedToParse, 'multi update is not supported for replacement-style update');
      }
      const existing = findCollection(context, name);
      const order = parseSort(statement.sort);
      if (multi && order.length > 0) throw new CommandError(code.failedToParse, 'Cannot specify sort with multi=true');
      const hint = parseHint(existing, statement.hint);
      const found = existing === undefined ? [] : findForWrite(store, existing, filter, { multi, order, hint });
      if (found.length === 0 || existing === undefined) {
        if (!statement.upsert) return;
        const document = insertUpsert(store, findOrCreate(context, name), filter, change);
        upserted.push({ index, _id: idOf(document) });
        totals.n++;
        return;
      }
      const { matched, modified } = updateRecords(store, existing, found, filter, change);
      totals.n += matched;
      totals.nModified += modified;
    });
    return { ...totals, ...(upserted.length > 0 ? { upserted } : {}), ...errors };
  });
}

export function remove(context: Context): Promise<Reply> {
  const { name, ordered, statements } = readWrite(context, 'deletes');
  const parsed = statements.map((statement) => {
    const args = new Arguments('deletes', documentValue(statement));
    args.refuse('collation');
    const limit = args.required('limit', args.value('limit'));
    const query = args.required('q', args.document('q'));
    const hint = args.value('hint');
    args.finish();
    const most = toInteger(limit);
    if (most !== 0n && most !== 1n)
      throw new CommandError(code.failedToParse, 'The limit field in delete objects must be 0 or 1');
    return { query, hint, multi: most === 0n };
  });
  const { store } = context.server;
  return write(context, () => {
    let n = 0;
    const errors = runStatements(statements, ordered, (_, index) => {
      const statement = parsed[index];
      const collection = findCollection(context, name);
      if (statement === undefined) return;
      const filter = parseFilter(statement.query);
      if (collection === undefined) return;
      const hint = parseHint(collection, statement.hint);
      for (const { record } of findForWrite(store, collection, filter, { multi: statement.multi, order: [], hint })) {
        const document = getRecord(store, collection, record);
        if (document === undefined) continue;
        removeRecord(store, collection, record, document);
        n++;
      }
    });
    return { n, ...errors };
  });
}
