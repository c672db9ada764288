import { type Document, deserialize, EJSON, serialize } from 'bson';
import { expect } from 'chai';
import { documentValue, getField } from '../bson/value.js';
import { writeFields } from '../bson/write.js';
import { CommandError } from '../errors.js';
import { expressionsWith } from './compile.js';
import type { Value } from './values.js';

const now = new Date('2024-05-06T07:08:09.010Z');
const field = Buffer.from('v');

/** A JavaScript or bson value as it stands in a document. */
export function valueOfField(value: unknown): Value {
  return getField(documentValue(Buffer.from(serialize({ v: value }, { ignoreUndefined: true }))), field);
}

/** A value with its type, as text: `{"$numberInt":"1"}`. */
export function shown(value: Value): string {
  if (value === undefined) return 'missing';
  return EJSON.stringify(deserialize(writeFields([['v', value]]), { promoteValues: false })['v'], { relaxed: false });
}

/** Compiles and evaluates an expression on a document. */
export function evaluate(expression: unknown, document: Document = {}, variables?: Document): Value {
  const lets = variables && documentValue(Buffer.from(serialize(variables)));
  const expressions = expressionsWith(now, lets);
  const given = valueOfField(expression);
  if (given === undefined) throw new TypeError('an expression must be given');
  const frame = expressions.frame();
  frame.root = documentValue(Buffer.from(serialize(document)));
  return expressions.compile(given).evaluate(frame);
}

/** The code an expression is refused with, or what it gives instead. */
export function refusal(expression: unknown, document: Document = {}): number | string {
  try {
    return shown(evaluate(expression, document));
  } catch (err) {
    if (err instanceof CommandError) return err.code;
    throw err;
  }
}

/** Title, expression, what it gives with its type (undefined is missing), and the document, else an empty one. */
export type Case = [title: string, expression: unknown, expected: unknown, document?: Document];

/** An expression and the code it is refused with. */
export type Refusal = [expression: unknown, code: number];

/** Shows every case and every refusal in a test of its own. */
export function describeExpressions(title: string, cases: readonly Case[], refusals: readonly Refusal[]): void {
  describe(title, () => {
    for (const [behaviour, expression, expected, document] of cases) {
      it(behaviour, () => expect(shown(evaluate(expression, document))).to.equal(shown(valueOfField(expected))));
    }
    for (const [expression, code] of refusals) {
      it(`refuses ${JSON.stringify(expression)} with ${code}`, () => expect(refusal(expression)).to.equal(code));
    }
  });
}
