import { classOf } from '../bson/key-encoding.js';
import { type BsonValue, bsonType } from '../bson/value.js';
import type { Filter, Test } from './filter.js';
import { isNaNValue } from './match.js';
import type { Conjuncts } from './planner.js';

type Bound = Test & { kind: 'gt' | 'gte' | 'lt' | 'lte' };

function isBound(test: Test): test is Bound {
  return test.kind === 'gt' || test.kind === 'gte' || test.kind === 'lt' || test.kind === 'lte';
}

function isTighter(asked: Test, bound: Bound): boolean {
  if (!('key' in asked) || asked.operand.type === bsonType.null || bound.operand.type === bsonType.null) return false;
  if (classOf(asked.operand.type) !== classOf(bound.operand.type)) return false;
  // NaN is beside the numbers: neither bound by one nor bounding any
  if (isNaNValue(asked.operand) !== isNaNValue(bound.operand)) return false;
  const difference = asked.key.compare(bound.key);
  const isLower = bound.kind === 'gt' || bound.kind === 'gte';
  if (asked.kind !== 'eq' && asked.kind.startsWith('g') !== isLower) return false;
  if (difference === 0)
    return asked.kind === 'eq' ? bound.kind.endsWith('e') : asked.kind === bound.kind || bound.kind.endsWith('e');
  return isLower ? difference > 0 : difference < 0;
}

/** Below MaxKey and above MinKey there is what is missing too. */
function reachesMissing(asked: Test & { operand: BsonValue }): boolean {
  return asked.kind !== 'eq' && (asked.operand.type === bsonType.minKey || asked.operand.type === bsonType.maxKey);
}

function testImplies(asked: Test, wanted: Test): boolean {
  if (wanted.kind === 'exists') {
    if (asked.kind === 'exists') return true;
    if (asked.kind === 'regex') return true;
    return 'operand' in asked && asked.operand.type !== bsonType.null && !reachesMissing(asked);
  }
  if (wanted.kind === 'eq') return asked.kind === 'eq' && asked.key.equals(wanted.key);
  if (isBound(wanted)) return isTighter(asked, wanted);
  return false;
}

/** Whether every document that satisfies the conjuncts surely satisfies the filter; false when in doubt. */
export function implies(conjuncts: Conjuncts, filter: Filter): boolean {
  if (filter.kind === 'and') return filter.parts.every((part) => implies(conjuncts, part));
  if (filter.kind !== 'test' || filter.path === undefined) return false;
  const wanted = filter.test;
  return (conjuncts.get(filter.path.text) ?? []).some((asked) => testImplies(asked, wanted));
}
