import { type BsonValue, bsonType, eachField, fieldsOf, getField, itemsOf } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { combine, type Operator, type Operators, typeOf, unary } from './expression.js';
import { namedArguments, requiredArgument } from './named-arguments.js';
import { arrayValue, documentOf, isArray, isNullish, nullValue, stringValue, type Value } from './values.js';

function isObject(value: Value): value is BsonValue & { type: 3 } {
  return value?.type === bsonType.document;
}

/** Puts an object's fields over those collected before; a name keeps its first place. @throws CommandError 40400 */
export function mergeInto(merged: Map<string, BsonValue>, value: Value): void {
  if (isNullish(value)) return;
  if (!isObject(value))
    throw new CommandError(40400, `$mergeObjects requires object inputs, but input is of type ${typeOf(value)}`);
  eachField(value, (name, field) => {
    merged.set(name, field);
    return false;
  });
}

function keyOf(key: Value, wrongType: number, withNull: number): string {
  if (key?.type !== bsonType.string) {
    throw new CommandError(wrongType, `$arrayToObject requires keys of type string. Found type: ${typeOf(key)}`);
  }
  if (key.text.includes('\0')) throw new CommandError(withNull, 'Key field cannot contain an embedded null byte');
  return key.text;
}

function pairOfArray(item: BsonValue): [string, BsonValue] {
  if (!isArray(item)) throw new CommandError(40396, `$arrayToObject found a ${typeOf(item)} among arrays`);
  const [key, value, ...more] = itemsOf(item);
  if (value === undefined || more.length > 0)
    throw new CommandError(40397, '$arrayToObject requires an array of size 2 arrays');
  return [keyOf(key, 40395, 4940400), value];
}

function pairOfObject(item: BsonValue): [string, BsonValue] {
  if (!isObject(item)) throw new CommandError(40391, `$arrayToObject found a ${typeOf(item)} among objects`);
  const fields = new Map(fieldsOf(item));
  if (fields.size !== 2)
    throw new CommandError(40392, `$arrayToObject requires objects of 'k' and 'v', found ${fields.size} fields`);
  const key = fields.get('k');
  const value = fields.get('v');
  if (key === undefined || value === undefined)
    throw new CommandError(40393, "$arrayToObject requires objects with 'k' and 'v'");
  return [keyOf(key, 40394, 4940401), value];
}

function arrayToObject(value: Value): Value {
  if (isNullish(value)) return nullValue;
  if (!isArray(value)) throw new CommandError(40386, `$arrayToObject requires an array input, found: ${typeOf(value)}`);
  const items = itemsOf(value);
  const [first] = items;
  if (first !== undefined && !isArray(first) && !isObject(first)) {
    throw new CommandError(40398, `Unrecognised input type format for $arrayToObject: ${typeOf(first)}`);
  }
  return documentOf(new Map(items.map(isArray(first) ? pairOfArray : pairOfObject)));
}

const getFieldRules = { notObject: 3041701, unknown: 3041701, names: { field: 3041702, input: 3041703 } };

const getFieldNames = { path: 5654600, notConstant: 5654601, notString: 5654602 };

/** The name of a field: text that is no path, or a literal. */
function constantName(
  field: BsonValue,
  codes: { path: number; notConstant: number; notString: number },
  operator: string,
): string {
  let name = field;
  if (field.type === bsonType.document) {
    const [only, ...more] = fieldsOf(field);
    const isLiteral = more.length === 0 && (only?.[0] === '$literal' || only?.[0] === '$const');
    if (only === undefined || !isLiteral) {
      throw new CommandError(codes.notConstant, `${operator} requires 'field' to evaluate to a constant`);
    }
    name = only[1];
  } else if (field.type === bsonType.string && field.text.startsWith('$')) {
    throw new CommandError(
      codes.path,
      `'${field.text}' is a field path reference; write { $literal: '${field.text}' }`,
    );
  }
  if (name.type !== bsonType.string) {
    throw new CommandError(
      codes.notString,
      `${operator} requires 'field' to evaluate to type String, but got ${typeOf(name)}`,
    );
  }
  return name.text;
}

const getFieldOperator: Operator = (operand, compiler, name) => {
  const isNamed = operand.type === bsonType.document && fieldsOf(operand)[0]?.[0].startsWith('$') !== true;
  const given = isNamed ? namedArguments(operand, getFieldRules, name) : new Map([['field', operand]]);
  const bytes = Buffer.from(constantName(given.get('field') ?? operand, getFieldNames, name));
  const input = isNamed ? requiredArgument(given, 'input', compiler) : compiler.compile(stringValue('$$CURRENT'));
  return combine([input], (frame) => {
    const object = input.evaluate(frame);
    if (isObject(object)) return getField(object, bytes);
    return object !== undefined && isNullish(object) ? nullValue : undefined;
  });
};

const unsetFieldRules = { notObject: 4161100, unknown: 4161101, names: { field: 4161102, input: 4161109 } };
const setFieldNames = { path: 4161108, notConstant: 4161106, notString: 4161107 };
const setFieldRules = { ...unsetFieldRules, names: { ...unsetFieldRules.names, value: 4161103 } };

/** Sets a field of an object by its name, dots and dollars included; without a value it is taken away. */
const setFieldOperator: Operator = (operand, compiler, name) => {
  const given = namedArguments(operand, name === '$setField' ? setFieldRules : unsetFieldRules, name);
  const key = constantName(given.get('field') ?? operand, setFieldNames, name);
  const input = requiredArgument(given, 'input', compiler);
  const value = requiredArgument(given, 'value', compiler);
  return combine([input, value], (frame) => {
    const object = input.evaluate(frame);
    if (isNullish(object)) return nullValue;
    if (!isObject(object)) throw new CommandError(4161105, `${name} requires 'input' to evaluate to type Object`);
    return documentOf(new Map<string, Value>(fieldsOf(object)).set(key, value.evaluate(frame)));
  });
};

export const objectOperators: Operators = {
  $objectToArray: unary((value) => {
    if (isNullish(value)) return nullValue;
    if (!isObject(value))
      throw new CommandError(40390, `$objectToArray requires a document input, found: ${typeOf(value)}`);
    return arrayValue(
      fieldsOf(value).map(([name, field]) => documentOf([['k', stringValue(name)] as const, ['v', field] as const])),
    );
  }),
  $arrayToObject: unary(arrayToObject),
  $getField: getFieldOperator,
  $setField: setFieldOperator,
  $unsetField: setFieldOperator,
};
