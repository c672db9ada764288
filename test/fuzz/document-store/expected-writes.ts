import { Timestamp } from 'bson';
import type { Delete, FindAndModify, Statement } from './case.js';
import { codeOf, duplicateKey, refusalOf, type State } from './collections.js';
import { checkFilter, matches } from './model/filter.js';
import { compareRows } from './model/index-keys.js';
import { identical } from './model/order.js';
import { checkProjection } from './model/projection.js';
import { type Sort, sortRow } from './model/sort.js';
import { applyUpdate, checkUpdate, refusalsOf } from './model/update.js';
import type { Context } from './model/update-operators.js';
import { equalitiesOf, upserted } from './model/upsert.js';
import { type Doc, isArray, isDoc, Refusal, type Value } from './model/values.js';

/** Something a write may lead to. */
export interface End {
  /** 0 when it went well */
  readonly code: number;
  readonly docs: readonly Doc[];
  readonly matched: number;
  /** documents that are another than before */
  readonly modified: number;
  /** Whether MongoDB may count documents as modified that are what they were. */
  readonly mayCountMore: boolean;
  readonly upserted: Doc | undefined;
  /** the one document that was changed, as it was and as it is; nothing for many or none */
  readonly before: Doc | undefined;
  readonly after: Doc | undefined;
}

/** Stands for the time at which the server does it. */
const now = { date: new Date(8_640_000_000_000_000), timestamp: new Timestamp({ t: 4294967294, i: 4294967294 }) };
/** Stands for the `_id` that the server makes up. */
export const anyId = 'any _id';

const context: Context = { inserts: false, ...now };

/** Every way a statement may end; which of several matches is changed, and which first, is the server's to choose. */
export function endsOfUpdate({ docs, indexes }: State, { q, u, multi, upsert }: Statement): End[] {
  const refused = (code: number): End => ({ ...nothing(docs), code });
  // Which of two faults is complained about is the server's to choose.
  const codes = [codeOf(() => checkUpdate(u, multi)), codeOf(() => checkFilter(q))].filter((code) => code !== 0);
  if (codes.length > 0) return codes.map(refused);
  const matched = docs.filter((doc) => matches(doc, q));
  if (matched.length === 0) return upsert ? insertions({ docs, indexes }, q, u) : [nothing(docs)];
  return multi ? multiEnds({ docs, indexes }, matched, u) : singleEnds({ docs, indexes }, matched, u);
}

type Content = Pick<State, 'docs' | 'indexes'>;

export const nothing = (docs: readonly Doc[]): End => ({
  code: 0,
  docs,
  matched: 0,
  modified: 0,
  mayCountMore: false,
  upserted: undefined,
  before: undefined,
  after: undefined,
});

/** The document after an update beside others, or the codes it may be refused with. */
function change({ indexes }: Content, doc: Doc, present: readonly Doc[], u: Doc): Doc | number[] {
  try {
    const next = applyUpdate(doc, u, context);
    const others = present.filter((other) => other !== doc);
    const code = next === doc ? 0 : refusalOf(next, others, indexes);
    return code === 0 ? next : [code];
  } catch (err) {
    if (err instanceof Refusal) return [err.code, ...refusalsOf(doc, u, context)];
    throw err;
  }
}

/** One of the candidates is changed. */
function singleEnds(content: Content, candidates: readonly Doc[], u: Doc): End[] {
  const { docs } = content;
  return candidates.flatMap((doc): End[] => {
    const next = change(content, doc, docs, u);
    if (isRefusal(next)) return next.map((code) => ({ ...nothing(docs), code }));
    return [
      {
        ...nothing(docs.map((one) => (one === doc ? next : one))),
        matched: 1,
        modified: Number(!identical(next, doc)),
        mayCountMore: countsUnchanged(u),
        before: doc,
        after: next,
      },
    ];
  });
}

const isRefusal = (next: Doc | number[]): next is number[] => Array.isArray(next);

/** All of them, in the order of the collection; the first one that is refused ends it. */
function multiEnds(content: Content, matched: readonly Doc[], u: Doc): End[] {
  const mayCountMore = countsUnchanged(u);
  let present = content.docs;
  let modified = 0;
  for (const doc of matched) {
    const next = change(content, doc, present, u);
    if (isRefusal(next)) return next.map((code) => ({ ...nothing(present), code, modified, mayCountMore }));
    if (!identical(next, doc)) modified += 1;
    present = present.map((one) => (one === doc ? next : one));
  }
  return [{ ...nothing(present), matched: matched.length, modified, mayCountMore }];
}

function insertions({ docs, indexes }: Content, q: Doc, u: Doc): End[] {
  const refused = (code: number): End => ({ ...nothing(docs), code });
  const inserting = { ...context, inserts: true };
  let made: Doc = new Map();
  const code = codeOf(() => {
    made = upserted(q, u, inserting);
  });
  if (code !== 0) return [code, ...refusalsOf(startOf(q, u), u, inserting)].map(refused);
  const doc = made.has('_id') ? made : new Map<string, Value>([['_id', anyId], ...made]);
  const conflicts = [refusalOf(doc, docs, indexes), docs.some((one) => sameId(one, doc)) ? duplicateKey : 0];
  if (conflicts.some((one) => one !== 0)) return conflicts.filter((one) => one !== 0).map(refused);
  return [{ ...nothing([...docs, doc]), upserted: doc, after: doc }];
}

function startOf(q: Doc, u: Doc): Doc {
  let start: Doc = new Map();
  codeOf(() => {
    start = equalitiesOf(q, u);
  });
  return start;
}

const sameId = (a: Doc, b: Doc) => identical(a.get('_id') as Value, b.get('_id') as Value);

/** A sorted `$push` is a change even where everything stood in order, NaN is never what it was, and time goes by. */
function countsUnchanged(part: Value): boolean {
  if (isArray(part)) return part.some(countsUnchanged);
  return (
    isDoc(part) &&
    (['$sort', '$inc', '$mul', '$currentDate'].some((name) => part.has(name)) ||
      [...part.values()].some(countsUnchanged))
  );
}

export function endsOfDelete({ docs }: State, { filter, multi }: Delete): End[] {
  const code = codeOf(() => checkFilter(filter));
  if (code !== 0) return [{ ...nothing(docs), code }];
  const matched = docs.filter((doc) => matches(doc, filter));
  if (multi || matched.length === 0) {
    return [{ ...nothing(docs.filter((doc) => !matched.includes(doc))), matched: matched.length }];
  }
  return removals(docs, matched);
}

const removals = (docs: readonly Doc[], candidates: readonly Doc[]): End[] =>
  candidates.map((doc) => ({ ...nothing(docs.filter((one) => one !== doc)), matched: 1, before: doc }));

/** The first document in the order asked for, or one of those that share its place, is changed or taken out. */
export function endsOfFindAndModify({ docs, indexes }: State, operation: FindAndModify): End[] {
  const { filter, sort, update, upsert, fields } = operation;
  const faults = [() => checkFilter(filter), () => checkProjection(fields), () => update && checkUpdate(update, false)];
  const codes = faults.map(codeOf).filter((code) => code !== 0);
  if (codes.length > 0) return codes.map((code) => ({ ...nothing(docs), code }));
  const matched = docs.filter((doc) => matches(doc, filter));
  if (matched.length === 0)
    return update !== undefined && upsert ? insertions({ docs, indexes }, filter, update) : [nothing(docs)];
  let candidates: readonly Doc[] = matched;
  const code = codeOf(() => {
    candidates = foremost(matched, sort);
  });
  if (code !== 0) return [{ ...nothing(docs), code }];
  return update === undefined ? removals(docs, candidates) : singleEnds({ docs, indexes }, candidates, update);
}

function foremost(docs: readonly Doc[], sort: Sort): Doc[] {
  const directions = sort.map(([, direction]) => direction);
  const rows = docs.map((doc) => sortRow(doc, sort));
  return docs.filter((_, at) => rows.every((row) => compareRows(rows[at] as typeof row, row, directions) <= 0));
}

const nearMs = 10 * 60_000;

/** Whether a document is the one expected, where that leaves the time or the `_id` open. */
export function isAsExpected(expected: Value, actual: Value): boolean {
  if (expected === now.date) return actual instanceof Date && Math.abs(actual.getTime() - Date.now()) < nearMs;
  if (expected === now.timestamp) {
    return actual instanceof Timestamp && Math.abs(actual.t * 1000 - Date.now()) < nearMs;
  }
  if (isDoc(expected) && isDoc(actual)) {
    const fields = [...actual];
    return (
      expected.size === fields.length &&
      [...expected].every(([name, value], at) => {
        const [ownName, own] = fields[at] as [string, Value];
        if (name === '_id' && value === anyId) return ownName === '_id';
        return name === ownName && isAsExpected(value, own);
      })
    );
  }
  if (isArray(expected) && isArray(actual)) {
    return expected.length === actual.length && expected.every((value, at) => isAsExpected(value, actual[at] as Value));
  }
  return identical(expected, actual);
}
