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
  /** no fields for all */
  readonly projection: Doc;
}

/** One statement of an update, named as in the command. */
export interface Statement {
  readonly q: Doc;
  readonly u: Doc;
  readonly multi: boolean;
  readonly upsert: boolean;
}

/** Several statements are each about one document at most, found by its `_id`. */
export interface Update {
  readonly kind: 'update';
  readonly statements: readonly Statement[];
}

export interface Delete {
  readonly kind: 'delete';
  readonly filter: Doc;
  readonly multi: boolean;
}

export interface FindAndModify {
  readonly kind: 'findAndModify';
  readonly filter: Doc;
  readonly sort: Sort;
  /** nothing to remove the document */
  readonly update: Doc | undefined;
  readonly returnsNew: boolean;
  readonly upsert: boolean;
  readonly fields: Doc;
}

export type Operation = Find | Update | Delete | FindAndModify;

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

function operationToDoc(operation: Operation): Doc {
  const { kind } = operation;
  switch (kind) {
    case 'find':
      return new Map<string, Value>([
        ['kind', kind],
        ['filter', operation.filter],
        ...optional('sort', operation.sort.length > 0, () => sortToDoc(operation.sort)),
        ...optional('skip', operation.skip > 0, () => fromJson(operation.skip)),
        ...optional('limit', operation.limit > 0, () => fromJson(operation.limit)),
        ...optional('projection', operation.projection.size > 0, () => operation.projection),
      ]);
    case 'update':
      return new Map<string, Value>([
        ['kind', kind],
        ['statements', operation.statements.map(statementToDoc)],
      ]);
    case 'delete':
      return new Map<string, Value>([
        ['kind', kind],
        ['filter', operation.filter],
        ['multi', operation.multi],
      ]);
    case 'findAndModify': {
      const { update } = operation;
      return new Map<string, Value>([
        ['kind', kind],
        ['filter', operation.filter],
        ...optional('sort', operation.sort.length > 0, () => sortToDoc(operation.sort)),
        ...(update === undefined ? [] : ([['update', update]] as const)),
        ...optional('new', operation.returnsNew, () => true),
        ...optional('upsert', operation.upsert, () => true),
        ...optional('fields', operation.fields.size > 0, () => operation.fields),
      ]);
    }
  }
}

export function statementToDoc({ q, u, multi, upsert }: Statement): Doc {
  return new Map<string, Value>([
    ['q', q],
    ['u', u],
    ...optional('multi', multi, () => true),
    ...optional('upsert', upsert, () => true),
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
        projection: docOf(doc.get('projection') ?? new Map()),
      };
    case 'update': {
      const statements = listOf(doc.get('statements')).map((one) => ({
        q: docOf(one.get('q')),
        u: docOf(one.get('u')),
        multi: one.get('multi') === true,
        upsert: one.get('upsert') === true,
      }));
      if (statements.length === 0) throw new RangeError('an update without statements');
      return { kind: 'update', statements };
    }
    case 'delete':
      return { kind: 'delete', filter: docOf(doc.get('filter')), multi: doc.get('multi') === true };
    case 'findAndModify': {
      const update = doc.get('update');
      if (update === undefined && (doc.get('new') === true || doc.get('upsert') === true)) {
        throw new RangeError('what is removed is neither new nor inserted');
      }
      return {
        kind: 'findAndModify',
        filter: docOf(doc.get('filter')),
        sort: sort === undefined ? [] : sortFromDoc(docOf(sort)),
        update: update === undefined ? undefined : docOf(update),
        returnsNew: doc.get('new') === true,
        upsert: doc.get('upsert') === true,
        fields: docOf(doc.get('fields') ?? new Map()),
      };
    }
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
