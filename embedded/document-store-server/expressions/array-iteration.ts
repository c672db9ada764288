import { compareValues } from '../bson/key-encoding.js';
import { toDouble } from '../bson/numbers.js';
import { type BsonValue, bsonType, itemsOf } from '../bson/value.js';
import { writeDocument } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import { parseSort, sortKey } from '../query/sort.js';
import { combine, type Operator, type Operators, typeOf } from './expression.js';
import { namedArguments, optionalArgument, requiredArgument } from './named-arguments.js';
import { arrayValue, int32Of, isArray, isNullish, isTrue, nullValue, type Value } from './values.js';

/** The name after `as`, a string that is no expression. */
function variableOf(value: BsonValue | undefined, operator: string): string {
  if (value === undefined) return 'this';
  if (value.type !== bsonType.string) {
    throw new CommandError(code.typeMismatch, `${operator}: 'as' must be a string, but is ${typeOf(value)}`);
  }
  return value.text;
}

function itemsFrom(value: BsonValue, wrongType: number, operator: string): BsonValue[] {
  if (isArray(value)) return itemsOf(value);
  throw new CommandError(wrongType, `input to ${operator} must be an array not ${typeOf(value)}`);
}

const mapRules = { notObject: 16878, unknown: 16879, names: { input: 16880, as: undefined, in: 16882 } };

const map: Operator = (operand, compiler, name) => {
  const given = namedArguments(operand, mapRules, name);
  const input = requiredArgument(given, 'input', compiler);
  const { slots, inner } = compiler.bind([variableOf(given.get('as'), name)]);
  const body = requiredArgument(given, 'in', inner);
  const [slot = 0] = slots;
  return combine([input, body], (frame) => {
    const array = input.evaluate(frame);
    if (isNullish(array)) return nullValue;
    return arrayValue(
      itemsFrom(array, 16883, name).map((item) => {
        frame.slots[slot] = item;
        return body.evaluate(frame) ?? nullValue;
      }),
    );
  });
};

const filterRules = {
  notObject: 28646,
  unknown: 28647,
  names: { input: 28648, as: undefined, cond: 28650, limit: undefined },
};

function filterLimit(value: Value): number {
  if (isNullish(value)) return Number.POSITIVE_INFINITY;
  const limit = int32Of(value);
  if (limit === undefined)
    throw new CommandError(327391, '$filter: limit must be represented as a 32-bit integral value');
  if (limit < 1) throw new CommandError(327392, '$filter: limit must be greater than 0');
  return limit;
}

const filter: Operator = (operand, compiler, name) => {
  const given = namedArguments(operand, filterRules, name);
  const input = requiredArgument(given, 'input', compiler);
  const limit = optionalArgument(given, 'limit', compiler);
  const { slots, inner } = compiler.bind([variableOf(given.get('as'), name)]);
  const test = requiredArgument(given, 'cond', inner);
  const [slot = 0] = slots;
  return combine([input, limit, test], (frame) => {
    const array = input.evaluate(frame);
    if (isNullish(array)) return nullValue;
    const most = filterLimit(limit?.evaluate(frame));
    const kept: BsonValue[] = [];
    for (const item of itemsFrom(array, 28651, name)) {
      frame.slots[slot] = item;
      if (isTrue(test.evaluate(frame))) kept.push(item);
      if (kept.length >= most) break;
    }
    return arrayValue(kept);
  });
};

const reduceRules = { notObject: 40075, unknown: 40076, names: { input: 40077, initialValue: 40078, in: 40079 } };

const reduce: Operator = (operand, compiler, name) => {
  const given = namedArguments(operand, reduceRules, name);
  const input = requiredArgument(given, 'input', compiler);
  const initial = requiredArgument(given, 'initialValue', compiler);
  const { slots, inner } = compiler.bind(['this', 'value']);
  const body = requiredArgument(given, 'in', inner);
  const [thisSlot = 0, valueSlot = 0] = slots;
  return combine([input, initial, body], (frame) => {
    const array = input.evaluate(frame);
    if (isNullish(array)) return nullValue;
    let value = initial.evaluate(frame);
    for (const item of itemsFrom(array, 40080, name)) {
      frame.slots[thisSlot] = item;
      frame.slots[valueSlot] = value;
      value = body.evaluate(frame);
    }
    return value;
  });
};

const sortRules = { notObject: 2942500, unknown: 2942501, names: { input: 2942502, sortBy: 2942503 } };

const noFields = writeDocument({});

/** The order of `sortBy`: 1 or -1 for whole items, or fields of the items as `$sort` takes them. */
function orderOf(sortBy: BsonValue): (items: BsonValue[]) => BsonValue[] {
  if (sortBy.type === bsonType.document) {
    const order = parseSort(sortBy);
    if (order.length === 0) throw new CommandError(code.badValue, '$sortArray: the sort pattern is empty');
    return (items) =>
      items
        .map((item) => ({ item, key: sortKey(order, item.type === bsonType.document ? item.bytes : noFields) }))
        .sort((a, b) => a.key.compare(b.key))
        .map(({ item }) => item);
  }
  const sign = sortBy.isNumber ? toDouble(sortBy) : 0;
  if (sign !== 1 && sign !== -1) throw new CommandError(code.badValue, '$sortArray: sortBy must be 1, -1 or an object');
  return (items) => items.sort((a, b) => sign * compareValues(a, b));
}

const sortArray: Operator = (operand, compiler, name) => {
  const given = namedArguments(operand, sortRules, name);
  const input = requiredArgument(given, 'input', compiler);
  const order = orderOf(given.get('sortBy') ?? nullValue);
  return combine([input], (frame) => {
    const array = input.evaluate(frame);
    return isNullish(array) ? nullValue : arrayValue(order(itemsFrom(array, 2942504, name)));
  });
};

export const arrayIterationOperators: Operators = {
  $map: map,
  $filter: filter,
  $reduce: reduce,
  $sortArray: sortArray,
};
