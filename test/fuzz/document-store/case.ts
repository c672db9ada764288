import type { Int32 } from 'bson';
import { fromJson, toJson } from './json.js';
import type { Index } from './model/indexes.js';
import type { Sort } from './model/sort.js';
import { type Doc, isArray, isDoc, type Value } from './model/values.js';

export interface Find {
  readonly kind: 'find';
  readonly filter: Doc;
  readonly sort: Sort;
  /** 0 for none */
  readonly skip: number;
  /** 0 for all */
  readonly limit: number;
}

export type Operation = Find;

/** Documents, indexes and what is asked of them: enough to see a disagreement again. */
export interface Case {
  readonly docs: readonly Doc[];
  readonly indexes: readonly Index[];
  /** Whether the indexes are made after the documents were inserted. */
  readonly indexesLast: boolean;
  readonly operation: Operation;
}

/** The case as one document, which can be stored as extended JSON and made smaller piece by piece. */
export function caseToDoc({ docs, indexes, indexesLast, operation }: Case): Doc {
  const fields: [string, Value][] = [
    ['docs', docs],
    ['indexes', indexes.map(indexToDoc)],
    ['indexesLast', indexesLast],
    ['operation', operationToDoc(operation)],
  ];
  return new Map(fields);
}

/** @throws RangeError when the document is no case */
export function caseFromDoc(doc: Doc): Case {
  const docs = listOf(doc.get('docs'));
  const ids = docs.map((one) => JSON.stringify(toJson(one.get('_id') as Value)));
  if (!docs.every((one) => one.has('_id'))) throw new RangeError('a document has no _id');
  if (new Set(ids).size !== ids.length) throw new RangeError('an _id stands twice');
  return {
    docs,
    indexes: listOf(doc.get('indexes')).map(indexFromDoc),
    indexesLast: doc.get('indexesLast') === true,
    operation: operationFromDoc(docOf(doc.get('operation'))),
  };
}

export const caseToText = (one: Case): string => JSON.stringify(toJson(caseToDoc(one)));
export const caseFromText = (text: string): Case => caseFromDoc(docOf(fromJson(JSON.parse(text))));

export const sortToDoc = (sort: Sort): Doc => fromJson(Object.fromEntries(sort)) as Doc;

export function indexToDoc({ key, unique, sparse, partial }: Index): Doc {
  const fields: [string, Value][] = [['key', sortToDoc(key)]];
  if (unique) fields.push(['unique', true]);
  if (sparse) fields.push(['sparse', true]);
  if (partial !== undefined) fields.push(['partialFilterExpression', partial]);
  return new Map(fields);
}

function indexFromDoc(doc: Doc): Index {
  const key = sortFromDoc(docOf(doc.get('key')));
  if (key.length === 0) throw new RangeError('an index has no fields');
  const partial = doc.get('partialFilterExpression');
  return {
    key,
    unique: doc.get('unique') === true,
    sparse: doc.get('sparse') === true,
    partial: partial === undefined ? undefined : docOf(partial),
  };
}

function operationToDoc({ kind, filter, sort, skip, limit }: Operation): Doc {
  return new Map<string, Value>([
    ['kind', kind],
    ['filter', filter],
    ...optional('sort', sort.length > 0, () => sortToDoc(sort)),
    ...optional('skip', skip > 0, () => fromJson(skip)),
    ...optional('limit', limit > 0, () => fromJson(limit)),
  ]);
}

const optional = (name: string, given: boolean, value: () => Value): [string, Value][] =>
  given ? [[name, value()]] : [];

function operationFromDoc(doc: Doc): Operation {
  const sort = doc.get('sort');
  const number = (name: string) => (doc.get(name) as Int32 | undefined)?.value ?? 0;
  switch (doc.get('kind')) {
    case 'find':
      return {
        kind: 'find',
        filter: docOf(doc.get('filter')),
        sort: sort === undefined ? [] : sortFromDoc(docOf(sort)),
        skip: number('skip'),
        limit: number('limit'),
      };
    default:
      throw new RangeError('there is no such operation');
  }
}

function sortFromDoc(doc: Doc): Sort {
  return [...doc].map(([path, direction]) => {
    const { value } = direction as Int32;
    if (value !== 1 && value !== -1) throw new RangeError('a direction is 1 or -1');
    return [path, value];
  });
}

function docOf(value: Value | undefined): Doc {
  if (!isDoc(value)) throw new RangeError('a document is missing');
  return value;
}

function listOf(value: Value | undefined): Doc[] {
  if (!isArray(value)) throw new RangeError('a list is missing');
  return value.map(docOf);
}
