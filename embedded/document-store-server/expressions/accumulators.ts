import { compareValues } from '../bson/key-encoding.js';
import { toDouble } from '../bson/numbers.js';
import { BsonValue, itemsOf } from '../bson/value.js';
import { lazy, type Operator, type Operators } from './expression.js';
import { mergeInto } from './objects.js';
import { Sum } from './sum.js';
import { documentOf, doubleValue, isArray, isNullish, nullValue, type Value } from './values.js';

/** Takes values one by one and tells what they come to; undefined is a missing field. */
export interface Accumulator {
  add(value: Value): void;
  result(): Value;
}

/** @param take is told of the bytes that are kept from now on */
export type CreateAccumulator = (take: (bytes: number) => void) => Accumulator;

/** Copies a value out of its document, so that keeping it does not keep the document. */
export function detached(value: BsonValue): BsonValue {
  if (value.buffer.length === value.end - value.start) return value;
  const bytes = Buffer.from(value.bytes);
  return new BsonValue(value.type, bytes, 0, bytes.length);
}

function sum(): Accumulator {
  const total = new Sum();
  return {
    add(value) {
      if (value?.isNumber === true) total.add(value);
    },
    result: () => total.total(),
  };
}

function average(): Accumulator {
  const total = new Sum();
  let count = 0;
  return {
    add(value) {
      if (value?.isNumber !== true) return;
      total.add(value);
      count++;
    },
    result: () => (count === 0 ? nullValue : total.average(count)),
  };
}

function extreme(sign: 1 | -1): CreateAccumulator {
  return (take) => {
    let best: BsonValue | undefined;
    return {
      add(value) {
        if (isNullish(value)) return;
        if (best !== undefined && sign * compareValues(value, best) <= 0) return;
        const next = detached(value);
        take(next.buffer.length - (best?.buffer.length ?? 0));
        best = next;
      },
      result: () => best ?? nullValue,
    };
  };
}

/** Welford's method: mean and squared distances are carried from value to value. */
function deviation(isSample: boolean): CreateAccumulator {
  return () => {
    let count = 0;
    let mean = 0;
    let squares = 0;
    return {
      add(value) {
        if (value?.isNumber !== true) return;
        const number = toDouble(value);
        const distance = number - mean;
        mean += distance / ++count;
        squares += distance * (number - mean);
      },
      result() {
        const divisor = isSample ? count - 1 : count;
        return divisor < 1 ? nullValue : doubleValue(Math.sqrt(squares / divisor));
      },
    };
  };
}

function merge(take: (bytes: number) => void): Accumulator {
  const merged = new Map<string, BsonValue>();
  return {
    add(value) {
      if (value === undefined) return;
      const object = detached(value);
      take(object.buffer.length);
      mergeInto(merged, object);
    },
    result: () => documentOf(merged),
  };
}

/** What is an accumulator of `$group` and an expression alike. */
export const accumulators: Record<string, CreateAccumulator> = {
  $sum: sum,
  $avg: average,
  $min: extreme(-1),
  $max: extreme(1),
  $stdDevPop: deviation(false),
  $stdDevSamp: deviation(true),
  $mergeObjects: merge,
};

/** Over its arguments, or over the items of its only one when that is an array. */
function asExpression(create: CreateAccumulator): Operator {
  return lazy(0, Number.POSITIVE_INFINITY, (parts, frame) => {
    const accumulator = create(() => undefined);
    const values = parts.map((part) => part.evaluate(frame));
    const [only] = values;
    for (const value of values.length === 1 && isArray(only) ? itemsOf(only) : values) accumulator.add(value);
    return accumulator.result();
  });
}

export const accumulatorOperators: Operators = Object.fromEntries(
  Object.entries(accumulators).map(([name, create]) => [name, asExpression(create)]),
);
