// https://www.mongodb.com/docs/v7.0/reference/operator/update/rename/ A field that is there already is written in its
// place, as in MongoDB's own tests; the manual leaves the order open. Names hold no null:
// https://www.mongodb.com/docs/v7.0/reference/limits/#mongodb-limit-Restrictions-on-Field-Names
import { edit, pathNotViable } from './edit.js';
import { type Doc, insist, isArray, isDoc, Refusal, type Value } from './values.js';

const badValue = 2;

function check(from: string, to: Value): void {
  insist(typeof to === 'string', badValue, "$rename's target must be a string");
  insist(!to.includes('\0'), badValue, 'no name of a field holds a null character');
  insist(to !== '' && !to.split('.').includes(''), 56, 'a name in the path is empty');
  const clash = `${from}.`.startsWith(`${to}.`) || `${to}.`.startsWith(`${from}.`);
  insist(!clash, badValue, 'source and target of $rename must differ, and neither hold the other');
}

function apply(doc: Doc, from: string, to: string): Doc {
  const source = follow(doc, from.split('.'));
  if (source.blocked) throw new Refusal(pathNotViable, `${from} runs through something without fields`);
  if (source.value === undefined) return doc;
  insist(!source.throughArray, badValue, 'the source cannot be an array element');
  insist(!follow(doc, to.split('.')).throughArray, badValue, 'the target cannot be an array element');
  const { value } = source;
  const written = edit(doc, to, { creates: true, strict: true }, () => value);
  return edit(written, from, { creates: false, strict: true }, () => undefined);
}

export const rename = { check, apply };

interface Place {
  readonly value: Value | undefined;
  readonly throughArray: boolean;
  /** The path runs through a value that has no such field and can have none. */
  readonly blocked: boolean;
}

function follow(doc: Doc, names: readonly string[]): Place {
  let at: Value = doc;
  let throughArray = false;
  for (const name of names) {
    let next: Value | undefined;
    if (isDoc(at)) next = at.get(name);
    else if (isArray(at) && /^(0|[1-9]\d*)$/.test(name)) {
      throughArray = true;
      next = at[Number(name)];
    } else return { value: undefined, throughArray: throughArray || isArray(at), blocked: true };
    if (next === undefined) return { value: undefined, throughArray, blocked: false };
    at = next;
  }
  return { value: at, throughArray, blocked: false };
}
