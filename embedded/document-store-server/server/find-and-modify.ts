import { checkDocumentSize } from '../bson/document-size.js';
import { documentValue } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { parseProjection, project } from '../projection/projection.js';
import { parseFilter } from '../query/filter.js';
import { parseSort } from '../query/sort.js';
import { getRecord, idOf, removeRecord } from '../storage/records.js';
import { parseUpdate } from '../update/modifiers.js';
import { type Context, expressionsOf, findCollection, findOrCreate, parseHint, type Reply, write } from './context.js';
import { forEachMatch } from './targets.js';
import { insertUpsert, updateRecord } from './writes.js';

/** Reads the arguments of `findAndModify`; `explain` reads the same. */
export function parseFindAndModify(context: Context) {
  const { args } = context;
  const name = args.collection();
  args.refuse('collation');
  args.flags('bypassDocumentValidation');
  const expressions = expressionsOf(context, args);
  const filter = parseFilter(args.documentOrEmpty('query'), expressions);
  const order = parseSort(args.documentOrEmpty('sort'));
  const projection = parseProjection(args.documentOrEmpty('fields'), expressions);
  const removes = args.flag('remove');
  const returnsNew = args.flag('new');
  const upserts = args.flag('upsert');
  const updateValue = args.value('update');
  const arrayFilters = args.value('arrayFilters');
  const hintValue = args.hint();
  args.finish();
  const change = updateValue && parseUpdate(updateValue, arrayFilters, expressions);
  if (removes && (change !== undefined || upserts || returnsNew)) {
    throw new CommandError(code.failedToParse, "Cannot specify 'update', 'upsert' or 'new' together with 'remove'");
  }
  if (removes && arrayFilters !== undefined) {
    throw new CommandError(code.failedToParse, 'Cannot specify arrayFilters and remove=true');
  }
  if (!removes && change === undefined) {
    throw new CommandError(code.failedToParse, 'Either an update or remove=true must be specified');
  }
  return { name, filter, order, projection, returnsNew, upserts, change, hintValue };
}

/** Changes or removes one document and answers with it as it was or, with `new`, as it is. */
export async function findAndModify(context: Context): Promise<Reply> {
  const { server } = context;
  const { store } = server;
  const { name, filter, order, projection, returnsNew, upserts, change, hintValue } = parseFindAndModify(context);
  const shown = (document: Buffer | undefined) => {
    if (document === undefined) return null;
    return documentValue(projection === undefined ? document : checkDocumentSize(project(projection, document)));
  };
  const removes = change === undefined;
  let reply: Reply = {};
  const search = await write(
    context,
    () => {
      const collection = findCollection(context, name);
      const hint = parseHint(collection, hintValue);
      return forEachMatch(
        context,
        collection,
        { filter, order, hint, multi: false },
        {
          each(found) {
            if (collection === undefined) return;
            if (change === undefined) {
              removeRecord(store, collection, found.record, found.document);
              reply = { lastErrorObject: { n: 1 }, value: shown(found.document) };
              return;
            }
            updateRecord(server, collection, found, filter, change);
            const value = returnsNew ? getRecord(store, collection, found.record) : found.document;
            reply = { lastErrorObject: { n: 1, updatedExisting: true }, value: shown(value) };
          },
          none() {
            if (change === undefined) reply = { lastErrorObject: { n: 0 }, value: null };
            else if (!upserts) reply = { lastErrorObject: { n: 0, updatedExisting: false }, value: null };
            else {
              const document = insertUpsert(server, findOrCreate(context, name), filter, change);
              const lastErrorObject = { n: 1, updatedExisting: false, upserted: idOf(document) };
              reply = { lastErrorObject, value: returnsNew ? shown(document) : null };
            }
          },
          removes,
        },
      );
    },
    { removes },
  );
  await search?.();
  return reply;
}
