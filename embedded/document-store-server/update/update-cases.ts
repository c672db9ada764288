import { type Document, deserialize, serialize } from 'bson';
import { expect } from 'chai';
import { documentValue, getField } from '../bson/value.js';
import { toBson } from '../bson/write.js';
import { CommandError } from '../errors.js';
import { expressionsWith } from '../expressions/compile.js';
import { parseFilter } from '../query/filter.js';
import { applyUpdate } from './apply.js';
import { createClock } from './clock.js';
import { parseUpdate } from './modifiers.js';
import { matchedPosition } from './positional.js';
import { upsertDocument } from './upsert.js';

/** What an update is given beside its document, for this folder's tests. */
export interface Given {
  arrayFilters?: Document[];
  query?: Document;
  /** the command's `let` */
  variables?: Document;
  /** milliseconds since 1970 */
  at?: number;
}

/** name, update, before, after: both without their `_id`, which is 1; after undefined says that nothing changes */
export type Case = [name: string, update: Document, before: Document, after: Document | undefined, given?: Given];

/** name, code, update, before */
export type Refusal = [name: string, code: number, update: Document, before: Document, given?: Given];

export const bytes = (document: Document) => Buffer.from(serialize(document, { ignoreUndefined: false }));

export function parse(update: Document, { arrayFilters, variables }: Given = {}) {
  const holder = documentValue(bytes({ u: update, arrayFilters: arrayFilters ?? null }));
  const value = getField(holder, Buffer.from('u'));
  const filters = arrayFilters && getField(holder, Buffer.from('arrayFilters'));
  if (value === undefined) throw new Error('no update');
  return parseUpdate(value, filters, expressionsWith(new Date(0), variables && documentValue(bytes(variables))));
}

export function applyTo(update: Document, document: Buffer, given: Given = {}): Buffer {
  const parsed = parse(update, given);
  const matched = matchedPosition(parsed, parseFilter(documentValue(bytes(given.query ?? {}))), document);
  return applyUpdate(
    parsed,
    document,
    createClock(() => given.at ?? 0),
    matched,
  );
}

/** The document an upsert makes; a generated `_id` is 'made'. */
export function upserted(update: Document, query: Document, given: Given = {}): Document {
  const filter = parseFilter(documentValue(bytes(query)), expressionsWith(new Date(0)));
  const clock = createClock(() => given.at ?? 0);
  return deserialize(
    upsertDocument(parse(update, given), filter, () => toBson('made'), clock),
    exact,
  );
}

const exact = { promoteValues: false, promoteBuffers: false } as const;

function shape(document: Buffer): unknown {
  return JSON.stringify(deserialize(document, exact), (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
}

/** Each case as a test: the bytes after, types and order of fields included. */
export function itUpdates(cases: Case[]): void {
  for (const [name, update, before, after, given] of cases) {
    it(name, () => {
      const from = bytes({ _id: 1, ...before });
      const result = applyTo(update, from, given);
      if (after === undefined) {
        expect(result === from, 'nothing changes').to.equal(true);
      } else {
        const wanted = bytes({ _id: 1, ...after });
        expect(deserialize(result, exact)).to.deep.equal(deserialize(wanted, exact));
        expect(shape(result)).to.equal(shape(wanted));
        expect(result.equals(wanted), 'the same bytes').to.equal(true);
      }
    });
  }
}

export function refusalCode(work: () => unknown): number | undefined {
  try {
    work();
  } catch (err) {
    if (err instanceof CommandError) return err.code;
    throw err;
  }
  return undefined;
}

/** Each case as a test of the code. */
export function itRefuses(cases: Refusal[]): void {
  for (const [name, code, update, before, given] of cases) {
    it(`${name} (${code})`, () => {
      expect(refusalCode(() => applyTo(update, bytes({ _id: 1, ...before }), given))).to.equal(code);
    });
  }
}
