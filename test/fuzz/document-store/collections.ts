import { BSON } from 'bson';
import { type Case, indexToDoc } from './case.js';
import { type Index, indexName, isDuplicate, rowsIn } from './model/indexes.js';
import { type Doc, Refusal } from './model/values.js';
import type { Outcome, Server } from './server.js';

export const duplicateKey = 11000;

/** What the server did and what it should have done. */
export class Disagreement extends Error {
  override readonly name = 'Disagreement';
}

/** A collection of the server, with the indexes that it took. */
export interface Target {
  readonly name: string;
  readonly indexes: readonly Index[];
}

/** A collection and what it holds; without an index it holds other documents than with one once both were written to. */
export interface State extends Target {
  readonly docs: readonly Doc[];
}

export type Setting = Omit<Case, 'operation'>;

/**
 * Fills two collections, the first without indexes, with the documents that the indexes let in.
 *
 * @throws Disagreement when the server takes or refuses another document or index than the model
 */
export async function fill(server: Server, { docs, indexes, indexesLast }: Setting): Promise<State[]> {
  const plain = server.freshName();
  const indexed = server.freshName();
  let kept: readonly Doc[] = docs;
  let made: readonly Index[] = indexes;
  if (indexesLast) {
    await insert(server, indexed, docs, []);
    made = await build(server, indexed, indexes, docs);
  } else {
    await build(server, indexed, indexes, []);
    kept = await insert(server, indexed, docs, indexes);
  }
  await insert(server, plain, kept, []);
  return [
    { name: plain, indexes: [], docs: kept },
    { name: indexed, indexes: made, docs: kept },
  ];
}

export async function drop(server: Server, targets: readonly Target[]): Promise<void> {
  for (const { name } of targets) await server.run({ drop: name });
}

async function insert(server: Server, name: string, docs: readonly Doc[], indexes: readonly Index[]): Promise<Doc[]> {
  const kept: Doc[] = [];
  const expected: number[] = [];
  for (const doc of docs) {
    const code = refusalOf(doc, kept, indexes);
    expected.push(code);
    if (code === 0) kept.push(doc);
  }
  if (docs.length === 0) return kept;
  const outcome = await server.run({ insert: name, documents: docs, ordered: false });
  if (!('reply' in outcome)) throw new Disagreement(`insert was refused: ${outcome.code} ${outcome.message}`);
  const codes = writeCodes(outcome, docs.length);
  for (const [at, code] of codes.entries()) {
    if (code !== expected[at]) {
      throw new Disagreement(`insert of document ${at}: code ${code}, the model says ${expected[at]} (0 is none)`);
    }
  }
  return kept;
}

/** The code of each statement of a write, 0 where it went well. */
export function writeCodes(outcome: Outcome, statements: number): number[] {
  const codes = new Array<number>(statements).fill(0);
  if (!('reply' in outcome)) return codes.fill(outcome.code);
  for (const bytes of (outcome.reply['writeErrors'] ?? []) as Buffer[]) {
    const { index, code } = BSON.deserialize(bytes);
    codes[Number(index)] = Number(code);
  }
  return codes;
}

/** The code with which the indexes refuse a document beside others, 0 for none. */
export function refusalOf(doc: Doc, others: readonly Doc[], indexes: readonly Index[]): number {
  for (const index of indexes) {
    const code = codeOf(() => rowsIn(index, doc));
    if (code !== 0) return code;
  }
  return indexes.some((index) => isDuplicate(index, doc, others)) ? duplicateKey : 0;
}

/** The code the model refuses something with, 0 when it does not. */
export function codeOf(work: () => unknown): number {
  try {
    work();
    return 0;
  } catch (err) {
    if (err instanceof Refusal) return err.code;
    throw err;
  }
}

/** Makes one index after the other. @returns those that were made */
async function build(server: Server, name: string, indexes: readonly Index[], docs: readonly Doc[]): Promise<Index[]> {
  const made: Index[] = [];
  for (const index of indexes) {
    const expected = new Set(
      docs.map((doc, at) =>
        refusalOf(
          doc,
          docs.slice(0, at).filter((other) => codeOf(() => rowsIn(index, other)) === 0),
          [index],
        ),
      ),
    );
    expected.delete(0);
    const outcome = await server.run({
      createIndexes: name,
      indexes: [new Map<string, unknown>([...indexToDoc(index), ['name', indexName(index)]])],
    });
    const code = 'reply' in outcome ? 0 : outcome.code;
    if (code === 0 ? expected.size > 0 : !expected.has(code)) {
      throw new Disagreement(
        `createIndexes ${indexName(index)}: ${code} ${'message' in outcome ? outcome.message : ''}, the model says ${[...expected].join(' or ') || 'none'}`,
      );
    }
    if (code === 0) made.push(index);
  }
  return made;
}
