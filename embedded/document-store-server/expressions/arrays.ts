import { checkAssembled } from '../bson/assemble.js';
import { type BsonValue, itemsOf } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { binary, lazy, type Operators, typeOf, unary } from './expression.js';
import {
  arrayValue,
  booleanValue,
  compareOrMissing,
  int32Of,
  int32Value,
  isArray,
  isNullish,
  nullValue,
  type Value,
} from './values.js';

const many = Number.POSITIVE_INFINITY;
const largestRange = 1_000_000;

/** A number that an int32 holds. @throws CommandError with the first code for other types, with the second for other numbers */
function int32Argument(value: Value, what: string, notNumber: number, notInt32: number): number {
  if (value?.isNumber !== true)
    throw new CommandError(notNumber, `${what} must be a numeric value, but is ${typeOf(value)}`);
  const number = int32Of(value);
  if (number === undefined) throw new CommandError(notInt32, `${what} must be representable as a 32-bit integer`);
  return number;
}

function arrayArgument(value: Value, wrongType: number, what: string): BsonValue {
  if (isArray(value)) return value;
  throw new CommandError(wrongType, `${what} must be an array, but was of type: ${typeOf(value)}`);
}

function elementAt(array: Value, index: Value, name: string): Value {
  if (isNullish(array) || isNullish(index)) return nullValue;
  const items = itemsOf(arrayArgument(array, 28689, `${name}'s first argument`));
  return items.at(int32Argument(index, `${name}'s second argument`, 28690, 28691));
}

function slice([array, first, second]: Value[], hasThree: boolean): Value {
  if (isNullish(array) || isNullish(first) || (hasThree && isNullish(second))) return nullValue;
  const items = itemsOf(arrayArgument(array, 28724, 'First argument to $slice'));
  const start = int32Argument(first, 'Second argument to $slice', 28725, 28726);
  if (!hasThree) return arrayValue(start < 0 ? items.slice(start) : items.slice(0, start));
  const count = int32Argument(second, 'Third argument to $slice', 28727, 28728);
  if (count <= 0) throw new CommandError(28729, 'Third argument to $slice must be positive');
  const from = start < 0 ? Math.max(0, items.length + start) : start;
  return arrayValue(items.slice(from, from + count));
}

function range([start, end, step]: Value[], hasStep: boolean): Value {
  const from = int32Argument(start, "$range's starting value", 34443, 34444);
  const to = int32Argument(end, "$range's ending value", 34445, 34446);
  const by = hasStep ? int32Argument(step, "$range's step value", 34447, 34448) : 1;
  if (by === 0) throw new CommandError(34449, '$range requires a non-zero step value');
  if ((to - from) / by > largestRange) {
    throw new CommandError(
      code.exceededMemory,
      `$range would use too much memory; at most ${largestRange} items are made`,
    );
  }
  const items: BsonValue[] = [];
  for (let at = from; by > 0 ? at < to : at > to; at += by) items.push(int32Value(at));
  return arrayValue(items);
}

function limitOf(value: Value, fallback: number): number {
  if (value === undefined) return fallback;
  const index = int32Of(value);
  if (index === undefined)
    throw new CommandError(40096, `$indexOfArray requires an integral index, found ${typeOf(value)}`);
  if (index < 0) throw new CommandError(40097, '$indexOfArray requires a nonnegative index');
  return index;
}

function indexOf([array, searched, start, end]: Value[], count: number): Value {
  if (isNullish(array)) return nullValue;
  const items = itemsOf(arrayArgument(array, 40090, "$indexOfArray's first argument"));
  const from = limitOf(count > 2 ? (start ?? nullValue) : undefined, 0);
  const to = Math.min(limitOf(count > 3 ? (end ?? nullValue) : undefined, items.length), items.length);
  for (let at = from; at < to; at++) if (compareOrMissing(items[at], searched) === 0) return int32Value(at);
  return int32Value(-1);
}

export const arrayOperators: Operators = {
  $arrayElemAt: binary(elementAt),
  $first: unary((array, name) => elementAt(array, int32Value(0), name)),
  $last: unary((array, name) => elementAt(array, int32Value(-1), name)),
  $size: unary((array) => int32Value(itemsOf(arrayArgument(array, 17124, 'The argument to $size')).length)),
  $slice: lazy(2, 3, (parts, frame) =>
    slice(
      parts.map((part) => part.evaluate(frame)),
      parts.length === 3,
    ),
  ),
  $in: binary((value, array) => {
    const items = itemsOf(arrayArgument(array, 40081, "$in's second argument"));
    return booleanValue(items.some((item) => compareOrMissing(item, value) === 0));
  }),
  $indexOfArray: lazy(2, 4, (parts, frame) =>
    indexOf(
      parts.map((part) => part.evaluate(frame)),
      parts.length,
    ),
  ),
  $concatArrays: lazy(0, many, (parts, frame) => {
    const items: BsonValue[] = [];
    let bytes = 0;
    for (const part of parts) {
      const value = part.evaluate(frame);
      if (isNullish(value)) return nullValue;
      bytes += value.end - value.start;
      checkAssembled(bytes);
      for (const item of itemsOf(arrayArgument(value, 28664, "$concatArrays's argument"))) items.push(item);
    }
    return arrayValue(items);
  }),
  $isArray: unary((value) => booleanValue(isArray(value))),
  $range: lazy(2, 3, (parts, frame) =>
    range(
      parts.map((part) => part.evaluate(frame)),
      parts.length === 3,
    ),
  ),
  $reverseArray: unary((array) =>
    isNullish(array)
      ? nullValue
      : arrayValue(itemsOf(arrayArgument(array, 34435, 'The argument to $reverseArray')).reverse()),
  ),
};
