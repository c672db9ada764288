import type { Document } from 'mongodb';
import { decode, documentsIn, encode } from './bytes.js';
import { type Find, sortToDoc } from './case.js';
import { codeOf, Disagreement, type State, type Target } from './collections.js';
import { show } from './json.js';
import { checkFilter, matches } from './model/filter.js';
import { compareRows, type Key } from './model/index-keys.js';
import { type Index, indexName, isIndexed } from './model/indexes.js';
import { checkProjection, project } from './model/projection.js';
import { sortRow } from './model/sort.js';
import type { Doc } from './model/values.js';
import type { Outcome, Server } from './server.js';
import { increase, type Tally } from './tally.js';

/** What the model says of a find: the codes it may be refused with, or what is found and how it must be ordered. */
type Expected = { readonly codes: readonly number[] } | { readonly found: readonly Found[] };
interface Found {
  readonly doc: Doc;
  readonly row: readonly Key[];
}

/** Documents by their bytes, so that what comes back is known without being read. */
type Known = ReadonlyMap<string, Doc>;
const keyOf = (bytes: Buffer): string => bytes.toString('latin1');
const knownBefore = new WeakMap<readonly Doc[], Known>();

function known(docs: readonly Doc[]): Known {
  const found = knownBefore.get(docs) ?? new Map(docs.map((doc) => [keyOf(encode(doc)), doc]));
  knownBefore.set(docs, found);
  return found;
}

/**
 * Asks a find of each collection, and of its indexes by name, and holds the answers against the model.
 *
 * @throws Disagreement at the first answer that is not MongoDB's
 */
export async function compareFind(server: Server, states: readonly State[], find: Find, tally: Tally): Promise<void> {
  const expected = new Map([...new Set(states.map(({ docs }) => docs))].map((docs) => [docs, expect(docs, find)]));
  await Promise.all(
    states.flatMap((state) => {
      const whole = expected.get(state.docs) as Expected;
      const docs = known(state.docs);
      const label = state.indexes.length === 0 ? 'without indexes' : 'with indexes';
      return [
        ask(server, state, find, undefined, (outcome) => judge(label, outcome, whole, docs, find, tally)),
        ...(state.indexes.length > 0 ? [count(server, state, find, whole, tally)] : []),
        ...state.indexes.map((index) => compareHinted(server, state, docs, find, index, whole, tally)),
      ];
    }),
  );
}

/** An index that leaves documents out answers for those it holds: core/index-sparse/ ("incomplete results"). */
async function compareHinted(
  server: Server,
  state: State,
  docs: Known,
  find: Find,
  index: Index,
  whole: Expected,
  tally: Tally,
): Promise<void> {
  const hint = indexName(index);
  const label = `with hint ${hint}`;
  await ask(server, state, find, hint, (outcome) => {
    if (!index.sparse && index.partial === undefined) return judge(label, outcome, whole, docs, find, tally);
    const held = expect(
      state.docs.filter((doc) => isIndexed(index, doc)),
      find,
    );
    try {
      judge(label, outcome, held, docs, find, tally);
    } catch (err) {
      if (!(err instanceof Disagreement)) throw err;
      judge(label, outcome, whole, docs, find, tally);
    }
  });
}

async function ask(
  server: Server,
  { name }: Target,
  find: Find,
  hint: string | undefined,
  then: (outcome: Outcome) => void,
): Promise<void> {
  const command: Document = { find: name, filter: find.filter, batchSize: 100_000 };
  if (find.sort.length > 0) command['sort'] = sortToDoc(find.sort);
  if (find.skip > 0) command['skip'] = find.skip;
  if (find.limit > 0) command['limit'] = find.limit;
  if (find.projection.size > 0) command['projection'] = find.projection;
  if (hint !== undefined) command['hint'] = hint;
  then(await server.run(command));
}

async function count(server: Server, { name }: Target, find: Find, expected: Expected, tally: Tally): Promise<void> {
  if (find.sort.length > 0 || 'codes' in expected) return;
  const command: Document = { count: name, query: find.filter };
  if (find.skip > 0) command['skip'] = find.skip;
  if (find.limit > 0) command['limit'] = find.limit;
  const outcome = await server.run(command);
  tally.answers += 1;
  if ('code' in outcome) {
    if (tally.isUnsupported(find.filter, outcome)) return;
    throw new Disagreement(`count: refused with ${outcome.code} (${outcome.message})`);
  }
  const wanted = windowOf(expected.found, find).length;
  if (outcome.reply['n'] !== wanted) {
    throw new Disagreement(`count: ${outcome.reply['n']}, the model says ${wanted}`);
  }
}

function expect(docs: readonly Doc[], find: Find): Expected {
  let found: Found[] = [];
  // Which of two faults is told of is the server's to choose; documents are looked at when there is none.
  const faults = [codeOf(() => checkFilter(find.filter)), codeOf(() => checkProjection(find.projection))];
  const codes = faults.filter((code) => code !== 0);
  if (codes.length > 0) return { codes };
  const code = codeOf(() => {
    found = docs.filter((doc) => matches(doc, find.filter)).map((doc) => ({ doc, row: sortRow(doc, find.sort) }));
  });
  if (code !== 0) return { codes: [code] };
  const directions = find.sort.map(([, direction]) => direction);
  return { found: find.sort.length === 0 ? found : found.sort((a, b) => compareRows(a.row, b.row, directions)) };
}

const windowOf = <T>(found: readonly T[], { skip, limit }: Find): readonly T[] =>
  found.slice(skip, limit === 0 ? undefined : skip + limit);

/** What is shown of each document, byte for byte; the order is left to finds that show all. */
function judgeProjected(label: string, answered: readonly Buffer[], found: readonly Found[], find: Find): void {
  const left = answered.map(keyOf);
  for (const { doc } of found) {
    const shown = project(doc, find.projection);
    const at = left.indexOf(keyOf(encode(shown)));
    if (at < 0) {
      const given = answered.map((bytes) => show(decode(bytes))).join(' ');
      throw new Disagreement(`${label}: not among the documents: ${show(shown)} of ${show(doc)}; given ${given}`);
    }
    left.splice(at, 1);
  }
  if (left.length > 0) throw new Disagreement(`${label}: ${left.length} documents too many`);
}

/** Which documents of equal rows come first is free; the rows one after the other are not. */
function judge(label: string, outcome: Outcome, expected: Expected, docs: Known, find: Find, tally: Tally): void {
  tally.answers += 1;
  if ('code' in outcome) {
    if ('codes' in expected && expected.codes.includes(outcome.code)) {
      increase(tally.refusals, outcome.code);
      return;
    }
    if (tally.isUnsupported(find.filter, outcome)) return;
    const says = 'codes' in expected ? `code ${expected.codes.join(' or ')}` : `${expected.found.length} documents`;
    throw new Disagreement(`${label}: refused with ${outcome.code} (${outcome.message}), the model says ${says}`);
  }
  const answered = documentsIn(outcome.reply['cursor'] as Buffer, 'firstBatch');
  if ('codes' in expected) {
    throw new Disagreement(
      `${label}: ${answered.length} documents, the model refuses with ${expected.codes.join(' or ')}`,
    );
  }
  if (find.projection.size > 0) {
    judgeProjected(label, answered, expected.found, find);
    return;
  }
  const given = answered.map((bytes) => docs.get(keyOf(bytes)));
  const wanted = windowOf(expected.found, find);
  const ids = (all: readonly (Doc | undefined)[]) => all.map((doc) => show(doc?.get('_id'))).join(' ');
  const fail = (why: string) => {
    const says = ids(wanted.map(({ doc }) => doc));
    throw new Disagreement(`${label}: ${why}: ${ids(given)}; the model says ${says}`);
  };
  const rows = new Map(expected.found.map(({ doc, row }) => [doc, row]));
  if (new Set(given).size !== given.length) fail('a document twice');
  if (given.some((doc) => doc === undefined || !rows.has(doc))) fail('other documents');
  if (given.length !== wanted.length) fail('fewer or more documents');
  if (given.some((doc, at) => compareRows(rows.get(doc as Doc) ?? [], wanted[at]?.row ?? []) !== 0))
    fail('another order');
}
