// Update operators: https://www.mongodb.com/docs/v7.0/reference/operator/update/ (one page each), and "update operators
// process document fields with string-based names in lexicographic order, fields with numeric names in numeric order":
// https://www.mongodb.com/docs/v7.0/reference/operator/update/set/#behavior
import { edit } from './edit.js';
import { identical } from './order.js';
import { rename } from './rename.js';
import { type Context, operators } from './update-operators.js';
import { type Doc, insist, isDoc, Refusal, type Value } from './values.js';

const failedToParse = 9;
const conflict = 40;
const emptyName = 56;
const immutable = 66;

interface Step {
  readonly operator: string;
  readonly path: string;
  readonly argument: Value;
}

export const isReplacement = (update: Doc): boolean => ![...update.keys()][0]?.startsWith('$');

/** @throws Refusal for an update that MongoDB does not take, whatever the document is */
export function checkUpdate(update: Doc, multi: boolean): void {
  if (isReplacement(update)) {
    insist(!multi, failedToParse, 'a replacement is for one document');
    return;
  }
  const taken: string[] = [];
  for (const [operator, fields] of update) {
    const known = operators[operator];
    insist(known !== undefined || operator === '$rename', failedToParse, `unknown modifier: ${operator}`);
    insist(isDoc(fields), failedToParse, `${operator} takes fields`);
    for (const [path, argument] of fields) {
      insist(!path.split('.').includes(''), emptyName, 'a name in the path is empty');
      if (known === undefined) rename.check(path, argument);
      else known.check(argument);
      for (const one of known === undefined ? [String(argument), path] : [path]) {
        insist(!taken.some((other) => clash(one, other)), conflict, `${one} is updated twice`);
        taken.push(one);
      }
    }
  }
}

const clash = (a: string, b: string) => `${a}.`.startsWith(`${b}.`) || `${b}.`.startsWith(`${a}.`);

/**
 * The document after an update that `checkUpdate` let through; the same one where nothing changes.
 *
 * @throws Refusal for what MongoDB refuses to do to this document
 */
export function applyUpdate(doc: Doc, update: Doc, context: Context): Doc {
  return isReplacement(update) ? replace(doc, update) : applyOperators(doc, update, context);
}

/** update/#replace: all but `_id`, which stays, down to its type. */
function replace(doc: Doc, replacement: Doc): Doc {
  const id = doc.get('_id');
  const given = replacement.get('_id');
  if (id === undefined) return replacement;
  insist(given === undefined || identical(given, id), immutable, '_id cannot be changed');
  return new Map([['_id', given ?? id], ...[...replacement].filter(([name]) => name !== '_id')]);
}

function applyOperators(doc: Doc, update: Doc, context: Context): Doc {
  const steps = [...update].flatMap(([operator, fields]) =>
    [...(fields as Doc)].map(([path, argument]): Step => ({ operator, path, argument })),
  );
  steps.sort((a, b) => comparePaths(writtenBy(a), writtenBy(b)));
  return steps.reduce((current, step) => applyStep(current, step, context), doc);
}

/** The codes with which the parts of an update are refused, each by itself: which one is told of is left open. */
export function refusalsOf(doc: Doc, update: Doc, context: Context): number[] {
  if (isReplacement(update)) return [];
  return [...update].flatMap(([operator, fields]) =>
    [...(fields as Doc)].flatMap(([path, argument]) => {
      try {
        applyStep(doc, { operator, path, argument }, context);
        return [];
      } catch (err) {
        if (err instanceof Refusal) return [err.code];
        throw err;
      }
    }),
  );
}

function applyStep(doc: Doc, step: Step, context: Context): Doc {
  const next = apply(doc, step, context);
  const [before, after] = [doc.get('_id'), next.get('_id')];
  const isKept = before === undefined || (after !== undefined && identical(before, after));
  if (!isKept) throw new Refusal(immutable, '_id cannot be changed');
  return next;
}

const writtenBy = ({ operator, path, argument }: Step): string => (operator === '$rename' ? String(argument) : path);

function apply(doc: Doc, { operator, path, argument }: Step, context: Context): Doc {
  if (operator === '$rename') return rename.apply(doc, path, String(argument));
  const known = operators[operator];
  if (known === undefined) throw new RangeError(`the model does not know ${operator}`);
  if (operator === '$setOnInsert' && !context.inserts) return doc;
  return edit(doc, path, known.manner, (old) => known.apply(old, argument, context));
}

/** Name by name, numbers as numbers. */
function comparePaths(a: string, b: string): number {
  const [left, right] = [a.split('.'), b.split('.')];
  for (const [at, name] of left.entries()) {
    const other = right[at];
    if (other === undefined) return 1;
    const verdict =
      isNumeral(name) && isNumeral(other)
        ? Number(name) - Number(other)
        : Buffer.compare(Buffer.from(name), Buffer.from(other));
    if (verdict !== 0) return verdict;
  }
  return left.length - right.length;
}

const isNumeral = (name: string) => /^\d+$/.test(name);
