import { compareValues, encodeKey } from '../bson/key-encoding.js';
import { addNumbers } from '../bson/numbers.js';
import { BsonValue, bsonType, documentValue, fieldsOf } from '../bson/value.js';
import { toBson, writeFields } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import { type Path, parsePath, resolvePath } from './path.js';

/** A constant, a field path, or a document of these: the expressions `$group` understands here. */
type Expression =
  | { kind: 'constant'; value: BsonValue }
  | { kind: 'path'; path: Path }
  | { kind: 'document'; fields: [string, Expression][] };

type Operator = '$sum' | '$min' | '$max' | '$first';

interface Accumulator {
  name: string;
  operator: Operator;
  expression: Expression;
}

const operators = new Set<string>(['$sum', '$min', '$max', '$first']);
const mostGroups = 1_000_000;

function parseExpression(value: BsonValue): Expression {
  if (value.type === bsonType.string && value.text.startsWith('$')) {
    if (value.text.startsWith('$$'))
      throw new CommandError(code.badValue, `the variable ${value.text} is not supported`);
    return { kind: 'path', path: parsePath(value.text.slice(1)) };
  }
  if (value.type === bsonType.document) {
    const fields = fieldsOf(value);
    const operator = fields.find(([name]) => name.startsWith('$'));
    if (operator !== undefined) throw new CommandError(code.badValue, `the expression ${operator[0]} is not supported`);
    return { kind: 'document', fields: fields.map(([name, field]) => [name, parseExpression(field)]) };
  }
  if (value.type === bsonType.array) throw new CommandError(code.badValue, 'array expressions are not supported');
  return { kind: 'constant', value };
}

function evaluate(expression: Expression, document: BsonValue): BsonValue | undefined {
  if (expression.kind === 'constant') return expression.value;
  if (expression.kind === 'path') {
    const found = resolvePath(document, expression.path);
    return found === undefined ? undefined : toBson(found);
  }
  return documentValue(
    writeFields(expression.fields.map(([name, field]) => [name, evaluate(field, document)] as const)),
  );
}

function accumulate(
  operator: Operator,
  sofar: BsonValue | undefined,
  value: BsonValue | undefined,
): BsonValue | undefined {
  if (operator === '$sum') return value?.isNumber === true && sofar !== undefined ? addNumbers(sofar, value) : sofar;
  if (value === undefined || value.type === bsonType.null || value.type === bsonType.undefined) return sofar;
  if (sofar === undefined) return value;
  const difference = compareValues(value, sofar);
  return (operator === '$min' ? difference < 0 : difference > 0) ? value : sofar;
}

/** Copies a small value out of its document, so that a group does not keep whole documents alive. */
function detach(value: BsonValue | undefined): BsonValue | undefined {
  if (value === undefined || value.buffer.length === value.end - value.start) return value;
  const bytes = Buffer.from(value.bytes);
  return new BsonValue(value.type, bytes, 0, bytes.length);
}

/**
 * Parses `$group` with `_id` and the accumulators $sum, $min, $max, $first.
 *
 * @returns a collector: `add` every document, then `result`
 * @throws CommandError 15955 without `_id`, 15952 or 2 for what is not supported, 292 beyond a million groups
 */
export function parseGroup(spec: BsonValue): () => { add(document: Buffer): void; result(): Buffer[] } {
  if (spec.type !== bsonType.document) throw new CommandError(15947, "a group's fields must be specified in an object");
  let id: Expression | undefined;
  const accumulators: Accumulator[] = [];
  for (const [name, value] of fieldsOf(spec)) {
    if (name === '_id') {
      id = parseExpression(value);
      continue;
    }
    const [only, ...more] = value.type === bsonType.document ? fieldsOf(value) : [];
    if (only === undefined || more.length > 0)
      throw new CommandError(40234, `The field '${name}' must be an accumulator object`);
    const [operator, operand] = only;
    if (!operators.has(operator)) throw new CommandError(15952, `unknown or unsupported group operator '${operator}'`);
    accumulators.push({ name, operator: operator as Operator, expression: parseExpression(operand) });
  }
  if (id === undefined) throw new CommandError(15955, 'a group specification must include an _id');
  const idExpression = id;
  return () => {
    const groups = new Map<string, { id: BsonValue | null; values: (BsonValue | undefined)[] }>();
    return {
      add(bytes) {
        const document = documentValue(bytes);
        const groupId = evaluate(idExpression, document);
        const key = groupId === undefined ? '' : encodeKey(groupId).toString('latin1');
        const group = groups.get(key);
        if (group === undefined) {
          if (groups.size >= mostGroups)
            throw new CommandError(code.memoryLimit, `$group made more than ${mostGroups} groups`);
          const values = accumulators.map(({ operator, expression }) => {
            const value = evaluate(expression, document);
            if (operator === '$first') return detach(value) ?? toBson(null);
            return detach(accumulate(operator, operator === '$sum' ? toBson(0) : undefined, value));
          });
          groups.set(key, { id: detach(groupId) ?? null, values });
          return;
        }
        accumulators.forEach(({ operator, expression }, at) => {
          if (operator === '$first') return;
          group.values[at] = detach(accumulate(operator, group.values[at], evaluate(expression, document)));
        });
      },
      result: () =>
        [...groups.values()].map((group) =>
          writeFields([
            ['_id', group.id],
            ...accumulators.map(({ name }, at) => [name, group.values[at] ?? null] as const),
          ]),
        ),
    };
  };
}
