import { classOf } from '../bson/key-encoding.js';
import { toText } from '../bson/to-text.js';
import { bsonType } from '../bson/value.js';
import { type KeyRange, rangesOf } from './bounds.js';
import type { Test } from './filter.js';
import type { Conjuncts, Plan } from './planner.js';

interface EndText {
  value: string;
  open: boolean;
}

const inclusive = (value: string): EndText => ({ value, open: false });
const exclusive = (value: string): EndText => ({ value, open: true });

/** Between what all values of a type lie, as MongoDB writes it. */
const brackets = new Map<number, [low: EndText, high: EndText]>([
  [classOf(bsonType.double), [inclusive('-inf.0'), inclusive('inf.0')]],
  [classOf(bsonType.string), [inclusive('""'), exclusive('{}')]],
  [classOf(bsonType.document), [inclusive('{}'), exclusive('[]')]],
  [classOf(bsonType.boolean), [inclusive('false'), inclusive('true')]],
  [classOf(bsonType.date), [inclusive('new Date(-9223372036854775808)'), inclusive('new Date(9223372036854775807)')]],
  [
    classOf(bsonType.objectId),
    [inclusive(`ObjectId('${'0'.repeat(24)}')`), inclusive(`ObjectId('${'f'.repeat(24)}')`)],
  ],
]);

const lowest = inclusive('MinKey');
const highest = inclusive('MaxKey');

/** Both ends of every range of a test, in words. */
function endsOf(test: Test): [range: KeyRange, low: EndText, high: EndText][] {
  const [first, second] = rangesOf(test) ?? [];
  if (first === undefined) return [];
  switch (test.kind) {
    case 'eq': {
      const end = inclusive(toText(test.operand));
      return [[first, end, end]];
    }
    case 'in':
      return test.operands.flatMap((operand) => endsOf({ kind: 'eq', operand, key: Buffer.alloc(0) }));
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte': {
      const end = { value: toText(test.operand), open: test.kind === 'gt' || test.kind === 'lt' };
      if (test.operand.type === bsonType.null) return [[first, inclusive('null'), inclusive('null')]];
      const [low, high] = brackets.get(classOf(test.operand.type)) ?? [lowest, highest];
      return test.kind === 'gt' || test.kind === 'gte' ? [[first, end, high]] : [[first, low, end]];
    }
    case 'regex': {
      const shown = inclusive(`/${test.regex.source}/${test.regex.flags.replace(/[uv]/g, '')}`);
      const prefix = String(test.prefix);
      const next = `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)}`;
      const texts: [KeyRange, EndText, EndText][] = [
        [first, inclusive(JSON.stringify(prefix)), exclusive(JSON.stringify(next))],
      ];
      if (second !== undefined) texts.push([second, shown, shown]);
      return texts;
    }
    default:
      return [];
  }
}

const keyOf = (end: KeyRange['low']) => `${end.bytes.toString('latin1')}|${end.inclusive}`;

/**
 * The bounds of an index scan as MongoDB's explain writes them: intervals by field, in the order they are scanned.
 *
 * @param conjuncts of the filter that the plan was made for
 */
export function boundsText(plan: Plan, conjuncts: Conjuncts): Record<string, string[]> {
  const texts: Record<string, string[]> = {};
  plan.index?.fields.forEach((field, at) => {
    const lows = new Map<string, EndText>();
    const highs = new Map<string, EndText>();
    for (const test of conjuncts.get(field.path.text) ?? []) {
      for (const [range, low, high] of endsOf(test)) {
        lows.set(keyOf(range.low), low);
        highs.set(keyOf(range.high), high);
      }
    }
    const isDownwards = field.descending !== plan.reverse;
    const intervals = (plan.bounds[at] ?? [undefined]).map((range) => {
      const low = (range && lows.get(keyOf(range.low))) ?? lowest;
      const high = (range && highs.get(keyOf(range.high))) ?? highest;
      const [from, to] = isDownwards ? [high, low] : [low, high];
      return `${from.open ? '(' : '['}${from.value}, ${to.value}${to.open ? ')' : ']'}`;
    });
    texts[field.path.text] = isDownwards ? intervals.reverse() : intervals;
  });
  return texts;
}
