import { ObjectId } from 'bson';
import { toInteger } from '../bson/numbers.js';
import { BsonValue, bsonType, documentValue, fieldsOf, getField } from '../bson/value.js';
import { writeFields } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import { type Filter, parseFilter } from '../query/filter.js';
import type { Found } from '../query/scan.js';
import { parseSort } from '../query/sort.js';
import type { Collection } from '../storage/catalogue.js';
import { idOf, insertRecord, removeRecord, replaceRecord } from '../storage/records.js';
import type { Store } from '../storage/store.js';
import { applyUpdate, upsertDocument } from '../update/apply.js';
import { parseUpdate, type Update } from '../update/modifiers.js';
import { Arguments } from './arguments.js';
import { type Context, findCollection, findOrCreate, parseHint, type Reply } from './context.js';
import { runStatements } from './statements.js';
import { forEachMatch } from './targets.js';

const idName = Buffer.from('_id');
const largestBatch = 100_000;

export function newObjectId(): BsonValue {
  const bytes = Buffer.from(new ObjectId().id);
  return new BsonValue(bsonType.objectId, bytes, 0, bytes.length);
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

export async function insert(context: Context): Promise<Reply> {
  const { name, ordered, statements } = readWrite(context, 'documents');
  const documents = statements.map(withId);
  let n = 0;
  const run = (index: number): undefined => {
    const document = documents[index];
    if (document !== undefined) insertRecord(context.server.store, findOrCreate(context, name), document);
  };
  const errors = await runStatements(context, documents.length, ordered, run, () => n++);
  return { n, ...errors };
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

/** Updates a document that was found. @returns whether it changed */
export function updateRecord(store: Store, collection: Collection, found: Found, update: Update): boolean {
  const { record, document } = found;
  const after = applyUpdate(update, document);
  if (after.equals(document)) return false;
  replaceRecord(store, collection, record, document, after);
  return true;
}

export async function update(context: Context): Promise<Reply> {
  const { name, ordered, statements } = readWrite(context, 'updates');
  const parsed = statements.map(parseUpdateStatement);
  const { store } = context.server;
  const totals = { n: 0, nModified: 0 };
  const upserted: { index: number; _id: BsonValue }[] = [];
  // of the statement under way: one that fails halfway is not counted
  let tally = { n: 0, nModified: 0 };
  const run = (index: number) => {
    const statement = parsed[index];
    if (statement === undefined) return undefined;
    tally = { n: 0, nModified: 0 };
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
    return forEachMatch(
      context,
      existing,
      { filter, order, hint, multi },
      {
        each(found) {
          if (existing !== undefined && updateRecord(store, existing, found, change)) tally.nModified++;
          tally.n++;
        },
        none() {
          if (!statement.upsert) return;
          const document = insertUpsert(store, findOrCreate(context, name), filter, change);
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

export async function remove(context: Context): Promise<Reply> {
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
  let n = 0;
  let tally = 0;
  const run = (index: number) => {
    const statement = parsed[index];
    if (statement === undefined) return undefined;
    tally = 0;
    const collection = findCollection(context, name);
    const filter = parseFilter(statement.query);
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
      },
    );
  };
  const errors = await runStatements(context, statements.length, ordered, run, () => {
    n += tally;
  });
  return { n, ...errors };
}
