import { Timestamp } from 'bson';
import type { Delete, Statement } from './case.js';
import { codeOf, duplicateKey, refusalOf, type State } from './collections.js';
import { checkFilter, matches } from './model/filter.js';
import { identical } from './model/order.js';
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
}

/** Stands for the time at which the server does it. */
const now = { date: new Date(8_640_000_000_000_000), timestamp: new Timestamp({ t: 4294967294, i: 4294967294 }) };
/** Stands for the `_id` that the server makes up. */
export const anyId = 'any _id';

const context: Context = { inserts: false, ...now };

/** Every way a statement may end; which of several matches is changed, and which first, is the server's to choose. */
export function endsOfUpdate({ docs, indexes }: State, { q, u, multi, upsert }: Statement): End[] {
  const refused = (code: number): End => ({
    code,
    docs,
    matched: 0,
    modified: 0,
    mayCountMore: false,
    upserted: undefined,
  });
  // Which of two faults is complained about is the server's to choose.
  const codes = [codeOf(() => checkUpdate(u, multi)), codeOf(() => checkFilter(q))].filter((code) => code !== 0);
  if (codes.length > 0) return codes.map(refused);
  const matched = docs.filter((doc) => matches(doc, q));
  if (matched.length === 0) {
    if (!upsert) return [{ ...refused(0) }];
    return insertions(refused, q, u, { docs, indexes });
  }
  const change = (doc: Doc, present: readonly Doc[]): Doc | number[] => {
    try {
      const next = applyUpdate(doc, u, context);
      const others = present.filter((other) => other !== doc);
      const code = next === doc ? 0 : refusalOf(next, others, indexes);
      return code === 0 ? next : [code];
    } catch (err) {
      if (err instanceof Refusal) return [err.code, ...refusalsOf(doc, u, context)];
      throw err;
    }
  };
  const mayCountMore = countsUnchanged(u);
  if (!multi) {
    return matched.flatMap((doc): End[] => {
      const next = change(doc, docs);
      if (isRefusal(next)) return next.map(refused);
      const modified = Number(!identical(next, doc));
      const after = docs.map((one) => (one === doc ? next : one));
      return [{ ...refused(0), docs: after, matched: 1, modified, mayCountMore }];
    });
  }
  return multiEnds(docs, matched, change, mayCountMore);
}

const isRefusal = (next: Doc | number[]): next is number[] => Array.isArray(next);

/** All of them, in the order of the collection; the first one that is refused ends it. */
function multiEnds(
  docs: readonly Doc[],
  matched: readonly Doc[],
  change: (doc: Doc, present: readonly Doc[]) => Doc | number[],
  mayCountMore: boolean,
): End[] {
  let present = docs;
  let modified = 0;
  for (const doc of matched) {
    const next = change(doc, present);
    if (isRefusal(next)) {
      return next.map((code) => ({ code, docs: present, matched: 0, modified, mayCountMore, upserted: undefined }));
    }
    if (!identical(next, doc)) modified += 1;
    present = present.map((one) => (one === doc ? next : one));
  }
  return [{ code: 0, docs: present, matched: matched.length, modified, mayCountMore, upserted: undefined }];
}

function insertions(
  refused: (code: number) => End,
  q: Doc,
  u: Doc,
  { docs, indexes }: Pick<State, 'docs' | 'indexes'>,
): End[] {
  const inserting = { ...context, inserts: true };
  let made: Doc = new Map();
  const code = codeOf(() => {
    made = upserted(q, u, inserting);
  });
  if (code !== 0) return [code, ...refusalsOf(startOf(q, u), u, inserting)].map(refused);
  const doc = made.has('_id') ? made : new Map<string, Value>([['_id', anyId], ...made]);
  const conflicts = [refusalOf(doc, docs, indexes), docs.some((one) => sameId(one, doc)) ? duplicateKey : 0];
  if (conflicts.some((one) => one !== 0)) return conflicts.filter((one) => one !== 0).map(refused);
  return [{ ...refused(0), docs: [...docs, doc], upserted: doc }];
}

function startOf(q: Doc, u: Doc): Doc {
  let start: Doc = new Map();
  codeOf(() => {
    start = equalitiesOf(q, u);
  });
  return start;
}

const sameId = (a: Doc, b: Doc) => identical(a.get('_id') as Value, b.get('_id') as Value);

/** A sorted `$push` is a change to MongoDB even where everything stood in order, and NaN is never what it was. */
function countsUnchanged(part: Value): boolean {
  if (isArray(part)) return part.some(countsUnchanged);
  return (
    isDoc(part) &&
    (['$sort', '$inc', '$mul'].some((name) => part.has(name)) || [...part.values()].some(countsUnchanged))
  );
}

export function endsOfDelete({ docs }: State, { filter, multi }: Delete): End[] {
  const end = (left: readonly Doc[], matched: number): End => ({
    code: 0,
    docs: left,
    matched,
    modified: 0,
    mayCountMore: false,
    upserted: undefined,
  });
  const code = codeOf(() => checkFilter(filter));
  if (code !== 0) return [{ ...end(docs, 0), code }];
  const matched = docs.filter((doc) => matches(doc, filter));
  const gone = multi || matched.length === 0 ? [matched] : matched.map((doc) => [doc]);
  return gone.map((some) =>
    end(
      docs.filter((doc) => !some.includes(doc)),
      some.length,
    ),
  );
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
