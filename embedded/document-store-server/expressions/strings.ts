import { checkAssembled } from '../bson/assemble.js';
import { type BsonValue, bsonType } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { combine, lazy, type Operator, type Operators, ranged, typeOf, unary } from './expression.js';
import { namedArguments, optionalArgument, requiredArgument } from './named-arguments.js';
import { coerceToText } from './text.js';
import { arrayValue, int32Of, int32Value, isNullish, nullValue, stringValue, type Value } from './values.js';

function isString(value: Value): value is BsonValue & { type: 2 } {
  return value?.type === bsonType.string;
}

function stringArgument(value: Value, wrongType: number, what: string): string {
  if (isString(value)) return value.text;
  throw new CommandError(wrongType, `${what} must be a string, found: ${typeOf(value)}`);
}

/** Letters of ASCII alone change their case. */
function asciiCase(change: (letter: string) => string, letters: RegExp): Operator {
  return unary((value) => stringValue(coerceToText(value).replace(letters, change)));
}

function position(value: Value, what: string, codes: { type: number; whole: number; negative: number }): number {
  if (value?.isNumber !== true)
    throw new CommandError(codes.type, `${what} must be a numeric type, is ${typeOf(value)}`);
  const number = int32Of(value);
  if (number === undefined)
    throw new CommandError(codes.whole, `${what} cannot be represented as a 32-bit integral value`);
  if (number < 0) throw new CommandError(codes.negative, `${what} must be a nonnegative integer`);
  return number;
}

function substring([text, start, length]: Value[]): Value {
  const points = [...coerceToText(text)];
  const from = position(start, '$substrCP: the starting index', { type: 34450, whole: 34451, negative: 34455 });
  const count = position(length, '$substrCP: length', { type: 34452, whole: 34453, negative: 34454 });
  return stringValue(points.slice(from, from + count).join(''));
}

function bound(value: Value, what: string): number {
  return position(value, `$indexOfCP's ${what} index`, { type: 40096, whole: 40096, negative: 40097 });
}

function indexOfText(values: Value[]): Value {
  const [text, token, start, end] = values;
  if (isNullish(text)) return nullValue;
  const points = [...stringArgument(text, 40093, "$indexOfCP's first argument")];
  const sought = stringArgument(token, 40094, "$indexOfCP's second argument");
  const from = values.length > 2 ? bound(start, 'starting') : 0;
  const to = values.length > 3 ? Math.min(bound(end, 'ending'), points.length) : points.length;
  if (from > points.length || to < from) return int32Value(-1);
  const at = points.slice(from, to).join('').indexOf(sought);
  if (at < 0) return int32Value(-1);
  return int32Value(from + [...points.slice(from, to).join('').slice(0, at)].length);
}

const trimRules = (unknown: number) => ({ notObject: 50696, unknown, names: { input: 50695, chars: undefined } });

/** The white space that is trimmed unless other characters are named. */
const whitespace = new Set(
  '\0 \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a',
);

function trim(atStart: boolean, atEnd: boolean): Operator {
  return (operand, compiler, name) => {
    const given = namedArguments(operand, trimRules(50694), name);
    const input = requiredArgument(given, 'input', compiler);
    const chars = optionalArgument(given, 'chars', compiler);
    return combine([input, chars], (frame) => {
      const value = input.evaluate(frame);
      if (isNullish(value)) return nullValue;
      const points = [...stringArgument(value, 50699, `${name}'s input`)];
      let trimmed = whitespace;
      if (chars !== undefined) {
        const named = chars.evaluate(frame);
        if (isNullish(named)) return nullValue;
        trimmed = new Set(stringArgument(named, 50700, `${name}'s 'chars'`));
      }
      let from = 0;
      let to = points.length;
      while (atStart && from < to && trimmed.has(points[from] ?? '')) from++;
      while (atEnd && to > from && trimmed.has(points[to - 1] ?? '')) to--;
      return stringValue(points.slice(from, to).join(''));
    });
  };
}

export const stringOperators: Operators = {
  $concat: lazy(0, Number.POSITIVE_INFINITY, (parts, frame) => {
    let text = '';
    for (const part of parts) {
      const value = part.evaluate(frame);
      if (isNullish(value)) return nullValue;
      text += stringArgument(value, 16702, "$concat's argument");
      checkAssembled(text.length);
    }
    return stringValue(text);
  }),
  $toLower: asciiCase((letter) => letter.toLowerCase(), /[A-Z]/g),
  $toUpper: asciiCase((letter) => letter.toUpperCase(), /[a-z]/g),
  $substrCP: ranged(3, 3, substring),
  $strLenCP: unary((value) => int32Value([...stringArgument(value, 34471, "$strLenCP's argument")].length)),
  $split: ranged(2, 2, ([text, separator]) => {
    if (isNullish(text) || isNullish(separator)) return nullValue;
    const whole = stringArgument(text, 40085, "$split's first argument");
    const between = stringArgument(separator, 40086, "$split's second argument");
    if (between === '') throw new CommandError(40087, '$split requires a non-empty separator');
    return arrayValue(whole.split(between).map(stringValue));
  }),
  $indexOfCP: ranged(2, 4, indexOfText),
  $trim: trim(true, true),
  $ltrim: trim(true, false),
  $rtrim: trim(false, true),
};
