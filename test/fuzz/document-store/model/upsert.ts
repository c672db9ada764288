// Upserts: https://www.mongodb.com/docs/v7.0/reference/method/db.collection.update/#upsert-behavior ("from the equality
// clauses of the query") and .../reference/operator/update/setOnInsert/
import { edit } from './edit.js';
import { isOperators } from './filter.js';
import { applyUpdate, isReplacement } from './update.js';
import type { Context } from './update-operators.js';
import { type Doc, insist, isArray, typeOf, type Value } from './values.js';

const notSingleValue = 54;

/**
 * The document that an upsert inserts when nothing was found; without `_id` where the server makes one up.
 *
 * @throws Refusal 54 where the query gives a field two values, and for what the update refuses
 */
export function upserted(filter: Doc, update: Doc, context: Context): Doc {
  const made = applyUpdate(equalitiesOf(filter, update), update, context);
  const id = made.get('_id');
  const rest = [...made].filter(([name]) => name !== '_id');
  return new Map(id === undefined ? rest : [['_id', id], ...rest]);
}

/** What the update begins with: of a replacement's query the `_id` alone. @throws Refusal 54 */
export function equalitiesOf(filter: Doc, update: Doc): Doc {
  const equalities = equalitiesIn(filter).filter(([path]) => !isReplacement(update) || path === '_id');
  equalities.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const paths = equalities.map(([path]) => path);
  for (const [at, path] of paths.entries()) {
    insist(!paths.slice(0, at).some((other) => clash(path, other)), notSingleValue, `${path} is matched twice`);
  }
  return equalities.reduce<Doc>(
    (doc, [path, value]) => edit(doc, path, { creates: true, strict: true }, () => value),
    new Map(),
  );
}

const clash = (a: string, b: string) => `${a}.`.startsWith(`${b}.`) || `${b}.`.startsWith(`${a}.`);

function equalitiesIn(filter: Doc): [path: string, value: Value][] {
  return [...filter].flatMap(([name, operand]): [string, Value][] => {
    if (name === '$and' || (name === '$or' && isArray(operand) && operand.length === 1)) {
      return (operand as readonly Doc[]).flatMap(equalitiesIn);
    }
    if (name.startsWith('$')) return [];
    if (isOperators(operand)) return equalitiesAmong(name, operand);
    return typeOf(operand) === 'regex' ? [] : [[name, operand]];
  });
}

function equalitiesAmong(path: string, operators: Doc): [string, Value][] {
  return [...operators].flatMap(([name, operand]): [string, Value][] => {
    if (name === '$eq') return [[path, operand]];
    if (name !== '$all' || !isArray(operand)) return [];
    return operand.flatMap((one): [string, Value][] =>
      isOperators(one) || typeOf(one) === 'regex' ? [] : [[path, one]],
    );
  });
}
