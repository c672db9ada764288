import { Int32 } from 'bson';
import { type Case, caseFromDoc, caseToDoc, caseToText } from './case.js';
import { isArray, isDoc, type Value } from './model/values.js';

/**
 * Makes a case smaller as long as it still fails: drops documents, fields, elements and clauses, and puts simple values
 * in the place of others.
 *
 * @param fails says whether a case still disagrees
 * @param giveUp asked before each try
 */
export async function shrink(
  start: Case,
  fails: (smaller: Case) => Promise<boolean>,
  giveUp: () => boolean,
): Promise<Case> {
  let best = start;
  for (let progress = true; progress; ) {
    progress = false;
    for (let at = 0; !giveUp(); at += 1) {
      const candidate = nth(smaller(caseToDoc(best)), at);
      if (candidate === undefined) break;
      const next = readable(candidate);
      if (next === undefined || caseToText(next).length >= caseToText(best).length || !(await fails(next))) continue;
      best = next;
      progress = true;
      // What stood here is gone; the next candidate has its place.
      at -= 1;
    }
    if (giveUp()) return best;
  }
  return best;
}

function readable(candidate: Value): Case | undefined {
  try {
    return isDoc(candidate) ? caseFromDoc(candidate) : undefined;
  } catch {
    return undefined;
  }
}

function nth<T>(items: Iterable<T>, wanted: number): T | undefined {
  let at = 0;
  for (const item of items) if (at++ === wanted) return item;
  return undefined;
}

/** Every value that lacks one thing, larger things first, then those with a simpler leaf. */
function* smaller(value: Value): Generator<Value> {
  if (isArray(value)) {
    for (let size = value.length >> 1; size > 1; size >>= 1) {
      for (let at = 0; at < value.length; at += size) yield value.toSpliced(at, size);
    }
    for (const at of value.keys()) yield value.toSpliced(at, 1);
    for (const [at, one] of value.entries()) for (const less of smaller(one)) yield value.with(at, less);
  } else if (isDoc(value)) {
    for (const name of value.keys()) yield new Map([...value].filter(([other]) => other !== name));
    for (const [name, one] of value) for (const less of smaller(one)) yield new Map([...value]).set(name, less);
  } else if (value !== null && typeof value !== 'boolean' && !isOne(value) && typeof value !== 'string') yield one;
  if (isArray(value) || isDoc(value)) yield one;
}

const one = new Int32(1);
const isOne = (value: Value): boolean => value instanceof Int32 && value.value === 1;
