import type { Document } from 'mongodb';
import { decode, documentsIn } from './bytes.js';
import { type Delete, type FindAndModify, type Statement, sortToDoc, statementToDoc, type Update } from './case.js';
import { Disagreement, type State, writeCodes } from './collections.js';
import {
  anyId,
  type End,
  endsOfDelete,
  endsOfFindAndModify,
  endsOfUpdate,
  isAsExpected,
  nothing,
} from './expected-writes.js';
import { show } from './json.js';
import { project } from './model/projection.js';
import type { Doc, Value } from './model/values.js';
import type { Outcome, Server } from './server.js';
import { increase, type Tally } from './tally.js';

/** @throws Disagreement for what the server stored though nobody sent it, such as a value of another type */
function decodeStored(bytes: Buffer): Doc {
  try {
    return decode(bytes);
  } catch (err) {
    if (err instanceof RangeError) throw new Disagreement(`a document cannot be read: ${err.message}`);
    throw err;
  }
}

export type Write = Update | Delete | FindAndModify;

/**
 * Writes to a collection and holds the reply and what it holds then against the model.
 *
 * @returns the collection with what it holds now
 * @throws Disagreement when it did what the model does not
 */
export async function compareWrite(server: Server, state: State, write: Write, tally: Tally): Promise<State> {
  const { name } = state;
  const label = state.indexes.length === 0 ? 'without indexes' : 'with indexes';
  const outcome = await server.run(commandOf(name, write));
  const { cursor } = await server.demand({ find: name, batchSize: 100_000 });
  const after = documentsIn(cursor as Buffer, 'firstBatch').map(decodeStored);
  tally.answers += write.kind === 'update' ? write.statements.length : 1;
  const complaint = complaintAbout(state, write, outcome, after, tally);
  if (complaint !== undefined) throw new Disagreement(`${label}: ${complaint}`);
  return { ...state, docs: after };
}

function complaintAbout(
  state: State,
  write: Write,
  outcome: Outcome,
  after: readonly Doc[],
  tally: Tally,
): string | undefined {
  switch (write.kind) {
    case 'update':
      return judgeUpdate(state, write.statements, outcome, after, tally);
    case 'delete':
      return judge(state, endsOfDelete(state, write), write.filter, outcome, after, tally);
    case 'findAndModify': {
      const asked = write.update === undefined ? write.filter : [write.filter, write.update];
      const ends = endsOfFindAndModify(state, write);
      return judge(state, ends, asked, outcome, after, tally, (end) => differenceInValue(end, write, outcome));
    }
  }
}

/** What the reply shows of the document, and says of what was done. */
function differenceInValue(
  { before, after, upserted }: End,
  write: FindAndModify,
  outcome: Outcome,
): string | undefined {
  if (!('reply' in outcome)) return undefined;
  const doc = write.returnsNew ? after : before;
  const shown = doc === undefined ? null : project(doc, write.fields);
  const { value, lastErrorObject } = outcome.reply;
  const given = value === null || value === undefined ? null : decode(value as Buffer);
  if (!isAsExpected(shown, given)) return `the value is ${show(given)}, the model says ${show(shown)}`;
  const told = decode(lastErrorObject as Buffer);
  const n = Number(before !== undefined || upserted !== undefined);
  if (show(told.get('n')) !== String(n)) return `n is ${show(told.get('n'))}, the model says ${n}`;
  const updated = write.update === undefined ? undefined : before !== undefined;
  if (told.get('updatedExisting') !== updated) return `updatedExisting is ${show(told.get('updatedExisting'))}`;
  return told.has('upserted') === (upserted !== undefined) ? undefined : 'upserted is there or not';
}

function commandOf(name: string, write: Write): Document {
  if (write.kind === 'delete') return { delete: name, deletes: [{ q: write.filter, limit: write.multi ? 0 : 1 }] };
  if (write.kind === 'findAndModify') {
    const { filter, sort, update, returnsNew, upsert, fields } = write;
    return {
      findAndModify: name,
      query: filter,
      ...(sort.length > 0 ? { sort: sortToDoc(sort) } : {}),
      ...(update === undefined ? { remove: true } : { update, new: returnsNew, upsert }),
      ...(fields.size > 0 ? { fields } : {}),
    };
  }
  return { update: name, updates: write.statements.map(statementToDoc), ordered: false };
}

/** @throws RangeError for several statements of which one leaves a choice */
function judgeUpdate(
  state: State,
  statements: readonly Statement[],
  outcome: Outcome,
  after: readonly Doc[],
  tally: Tally,
): string | undefined {
  const [only] = statements;
  if (statements.length === 1 && only !== undefined) {
    const complaint = judge(state, endsOfUpdate(state, only), [only.q, only.u], outcome, after, tally);
    return complaint !== undefined && only.multi && isHalfDone(state, only, outcome, after) ? undefined : complaint;
  }
  const codes = writeCodes(outcome, statements.length);
  let docs = state.docs;
  const ends: End[] = [];
  for (const [at, statement] of statements.entries()) {
    const possible = endsOfUpdate({ ...state, docs }, statement);
    const end =
      possible.find(({ code }) => code === codes[at]) ??
      unsupported([statement.q, statement.u], docs, codes[at] ?? 0, tally);
    if (possible.length > 1 && possible.some(({ code }) => code === 0)) {
      throw new RangeError('a statement among others leaves a choice');
    }
    if (end === undefined) {
      return `statement ${at} (${show(statementToDoc(statement))}): code ${codes[at]}, the model says ${possible[0]?.code}`;
    }
    if (end.code !== 0) increase(tally.refusals, end.code);
    ends.push(end);
    docs = end.docs;
  }
  return differenceOf({ ...sumOf(ends), docs }, outcome, after);
}

/** The end of what the server may refuse as not supported. */
function unsupported(asked: Value, docs: readonly Doc[], code: number, tally: Tally): End | undefined {
  if (code === 0 || !tally.isUnsupported(asked, { code })) return undefined;
  return { ...nothing(docs), code };
}

const sumOf = (ends: readonly End[]): End => ({
  ...nothing([]),
  matched: ends.reduce((sum, { matched, upserted }) => sum + matched + Number(upserted !== undefined), 0),
  modified: ends.reduce((sum, { modified }) => sum + modified, 0),
  mayCountMore: ends.some(({ mayCountMore }) => mayCountMore),
});

/** Says what is wrong unless the outcome is one of these ends. */
function judge(
  { docs }: State,
  ends: readonly End[],
  asked: Value,
  outcome: Outcome,
  after: readonly Doc[],
  tally: Tally,
  further: (end: End) => string | undefined = () => undefined,
): string | undefined {
  const [code = 0] = writeCodes(outcome, 1);
  const fitting = ends.filter((end) => end.code === code);
  if (fitting.length === 0) {
    const refusal = unsupported(asked, docs, code, tally);
    if (refusal !== undefined) return differenceOf(refusal, outcome, after);
    const why = 'message' in outcome ? outcome.message : '';
    return `code ${code} ${why}, the model says ${ends.map((end) => end.code).join(' or ')}`;
  }
  const counted = (end: End) => ({ ...end, matched: end.matched + Number(end.upserted !== undefined) });
  const complaints = fitting.map((end) => differenceOf(counted(end), outcome, after) ?? further(end));
  if (complaints.every((complaint) => complaint !== undefined)) return complaints[0];
  if (code !== 0) increase(tally.refusals, code);
  return undefined;
}

/** What differs between an end and the reply or the documents; nothing when all is as expected. */
function differenceOf(end: End, outcome: Outcome, after: readonly Doc[]): string | undefined {
  const left = [...after];
  for (const expected of end.docs) {
    const at = left.findIndex((doc) => sameId(expected, doc));
    const [found] = at < 0 ? [] : left.splice(at, 1);
    if (found === undefined || !isAsExpected(expected, found)) {
      return `the document is ${show(found)}, the model says ${show(expected)}`;
    }
  }
  if (left.length > 0) return `there is a document too many: ${show(left[0])}`;
  if (!('reply' in outcome) || end.code !== 0 || !('n' in outcome.reply)) return undefined;
  const { n, nModified = 0 } = outcome.reply;
  if (n !== end.matched) return `n is ${n}, the model says ${end.matched}`;
  const most = end.mayCountMore ? Math.max(end.matched, end.modified) : end.modified;
  if (nModified < end.modified || nModified > most) return `nModified is ${nModified}, the model says ${end.modified}`;
  return undefined;
}

/** A made up `_id` stands last, behind all that are known. */
function sameId(expected: Doc, doc: Doc): boolean {
  const id = expected.get('_id') as Value;
  return id === anyId || show(id) === show(doc.get('_id'));
}

/** A refused update of many may have done some of it, in whatever order; each of its documents is one or the other. */
function isHalfDone(state: State, statement: Statement, outcome: Outcome, after: readonly Doc[]): boolean {
  const [code] = writeCodes(outcome, 1);
  if (code === 0 || after.length !== state.docs.length) return false;
  const codes = new Set<number>();
  for (const [at, doc] of state.docs.entries()) {
    const found = after.find((one) => sameId(doc, one));
    if (found === undefined) return false;
    const others = after.filter((one) => one !== found);
    const mine = { ...statement, multi: false };
    const ends = endsOfUpdate({ ...state, docs: [doc] }, mine).concat(
      endsOfUpdate({ ...state, docs: [doc, ...others] }, mine).filter((end) => end.docs[0] !== doc || end.code !== 0),
    );
    for (const end of ends) codes.add(end.code);
    if (!isAsExpected(state.docs[at] as Doc, found) && !ends.some((end) => isAsExpected(end.docs[0] as Doc, found)))
      return false;
  }
  return codes.has(code as number);
}
