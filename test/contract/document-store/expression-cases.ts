import { Decimal128, Long, ObjectId } from 'mongodb';
import type { Target } from './document-store-targets.js';
import { type ExpressionCase, evaluates } from './pipeline-cases.js';

/** What the expressions are asked about. */
export const document = {
  i: 7,
  neg: -7,
  d: 2.5,
  l: Long.fromString('9007199254740993'),
  dec: new Decimal128('1.10'),
  t: 'Text',
  n: null,
  b: true,
  list: [3, 1, 2],
  empty: [],
  objects: [{ k: 'a', v: 1 }, { k: 'b', v: 2 }, { k: 'c' }],
  o: { p: 1, q: { r: 2 } },
  date: new Date('2024-02-29T13:14:15.678Z'),
  id: new ObjectId('0123456789abcdef01234567'),
};
export const { date, id } = document;

/** Cases by family and operator. */
export type Families = Record<string, Record<string, ExpressionCase[]>>;

export function describeFamilies(target: () => Target, families: Families): void {
  for (const [family, operators] of Object.entries(families)) {
    describe(family, () => {
      for (const [operator, cases] of Object.entries(operators)) {
        describe(operator, () => evaluates(target, document, cases));
      }
    });
  }
}
