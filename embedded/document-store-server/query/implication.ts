import { classOf } from '../bson/key-encoding.js';
import type { Filter, Test } from './filter.js';
import type { Conjuncts } from './planner.js';

type Bound = Test & { kind: 'gt' | 'gte' | 'lt' | 'lte' };

function isBound(test: Test): test is Bound {
  return test.kind === 'gt' || test.kind === 'gte' || test.kind === 'lt' || test.kind === 'lte';
}

function isTighter(asked: Test, bound: Bound): boolean {
  if (!('key' in asked) || asked.operand.type === 10 || bound.operand.type === 10) return false;
  if (classOf(asked.operand.type) !== classOf(bound.operand.type)) return false;
  const difference = asked.key.compare(bound.key);
  const isLower = bound.kind === 'gt' || bound.kind === 'gte';
  if (asked.kind !== 'eq' && asked.kind.startsWith('g') !== isLower) return false;
  if (difference === 0)
    return asked.kind === 'eq' ? bound.kind.endsWith('e') : asked.kind === bound.kind || bound.kind.endsWith('e');
  return isLower ? difference > 0 : difference < 0;
}

function testImplies(asked: Test, wanted: Test): boolean {
  if (wanted.kind === 'exists') {
    if (asked.kind === 'exists') return true;
    if (asked.kind === 'regex') return true;
    return 'operand' in asked && asked.operand.type !== 10;
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
