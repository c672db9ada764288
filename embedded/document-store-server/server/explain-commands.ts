import type { BsonValue } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { matchAll, parseFilter } from '../query/filter.js';
import type { Batches } from '../query/pipeline.js';
import type { Collection } from '../storage/catalogue.js';
import { applyUpdate } from '../update/apply.js';
import { parseUpdate, type Update } from '../update/modifiers.js';
import { matchedPosition } from '../update/positional.js';
import { type Context, expressionsOf, findCollection, parseHint, type Reply } from './context.js';
import { parseFindAndModify } from './find-and-modify.js';
import { parseCount, parseDistinct, parseFind, type Query, storedCount } from './reads.js';
import { checkMulti, parseDeleteStatement, parseUpdateStatement, readWrite } from './writes.js';

interface Top {
  stage: string;
  /** it finds nothing itself */
  isAlone?: boolean;
  each?(document: Buffer): void;
  figures(matched: number): Reply;
}

/** A command as its explanation sees it: how it finds documents, and what it would do with them. */
export interface Explainable {
  collection: Collection | undefined;
  query: Omit<Query, 'collection'>;
  /** the filter as it came */
  filter: BsonValue | undefined;
  projection?: BsonValue | undefined;
  /** what is done with what is found, where that may end the search */
  behind?(found: Batches): Batches;
  /** the stage on top, which takes in what is found and has figures of its own */
  top?: Top;
}

function explainUpdate(server: Context['server'], query: Omit<Query, 'collection'>, change: Update, upserts: boolean) {
  let modified = 0;
  return {
    stage: 'UPDATE',
    each(document: Buffer) {
      const after = applyUpdate(change, document, server.clock, matchedPosition(change, query.filter, document));
      if (after !== document) modified++;
    },
    figures: (matched: number) => ({
      nMatched: matched,
      nWouldModify: modified,
      nWouldUpsert: matched === 0 && upserts ? 1 : 0,
    }),
  };
}

const explainDelete = { stage: 'DELETE', figures: (matched: number) => ({ nWouldDelete: matched }) };

function onlyStatement(context: Context, field: string): { name: string; statement: Buffer } {
  const { name, statements } = readWrite(context, field);
  const [statement, ...more] = statements;
  if (statement !== undefined && more.length === 0) return { name, statement };
  throw new CommandError(16, 'explained write batches must be of size 1');
}

/** What a statement of an update or delete is about. */
function targetOf(
  context: Context,
  name: string,
  { filter, hint, multi }: { filter: BsonValue; hint: BsonValue | undefined; multi: boolean },
): Pick<Explainable, 'collection' | 'query'> {
  const collection = findCollection(context, name);
  const parsed = parseFilter(filter, expressionsOf(context, context.args));
  const query = { filter: parsed, order: [], skip: 0, limit: multi ? 0 : 1, hint: parseHint(collection, hint) };
  return { collection, query };
}

/** The readers of commands that are explained by one plan. `aggregate` has its own way. */
export const readers: Record<string, (context: Context) => Explainable> = {
  find(context) {
    const { collection, query } = parseFind(context, context.args);
    const projection = context.args.document('projection');
    return { collection, query, filter: context.args.document('filter'), projection };
  },
  count(context) {
    const { collection, query } = parseCount(context, context.args);
    const filter = context.args.document('query');
    const isStored = query.filter === matchAll && query.hint === undefined && collection !== undefined;
    if (!isStored) {
      const top = { stage: 'COUNT', figures: (matched: number) => ({ nCounted: matched, nSkipped: query.skip }) };
      return { collection, query, filter, top };
    }
    const figures = () => ({ nCounted: storedCount(collection, query), nSkipped: query.skip });
    return { collection: undefined, query, filter, top: { stage: 'RECORD_STORE_FAST_COUNT', isAlone: true, figures } };
  },
  distinct(context) {
    const { collection, query } = parseDistinct(context, context.args);
    return { collection, query, filter: context.args.document('query') };
  },
  update(context) {
    const { name, statement } = onlyStatement(context, 'updates');
    const { query: filter, update, arrayFilters, multi, upsert, hint } = parseUpdateStatement(statement);
    const change = parseUpdate(update, arrayFilters, expressionsOf(context, context.args));
    checkMulti(change, multi);
    const found = targetOf(context, name, { filter, hint, multi });
    return { ...found, filter, top: explainUpdate(context.server, found.query, change, upsert) };
  },
  delete(context) {
    const { name, statement } = onlyStatement(context, 'deletes');
    const { query: filter, hint, multi } = parseDeleteStatement(statement);
    return { ...targetOf(context, name, { filter, hint, multi }), filter, top: explainDelete };
  },
  findAndModify(context) {
    const { name, filter, order, upserts, change, hintValue } = parseFindAndModify(context);
    const collection = findCollection(context, name);
    const query = { filter, order, skip: 0, limit: 1, hint: parseHint(collection, hintValue) };
    const top = change === undefined ? explainDelete : explainUpdate(context.server, query, change, upserts);
    return { collection, query, filter: context.args.document('query'), top };
  },
};
