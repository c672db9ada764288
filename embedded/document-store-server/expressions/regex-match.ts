import { type BsonValue, bsonType } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { compileRegex } from '../query/regex.js';
import { combine, constantValue, type Operator, type Operators, typeOf } from './expression.js';
import { namedArguments, optionalArgument, requiredArgument } from './named-arguments.js';
import { booleanValue, isNullish, type Value } from './values.js';

const rules = { notObject: 51103, unknown: 31024, names: { input: 31022, regex: 31023, options: undefined } };

/** The pattern of a string or regular expression with its options; undefined for null and missing. */
function patternOf(regex: Value, options: Value, name: string): RegExp | undefined {
  if (!isNullish(options) && options.type !== bsonType.string) {
    throw new CommandError(51106, `${name} needs 'options' to be of type string`);
  }
  const flags = isNullish(options) ? undefined : options.text;
  if (isNullish(regex)) return undefined;
  if (regex.type === bsonType.string) return compileRegex(regex.text, flags ?? '');
  if (regex.type !== bsonType.regex) {
    throw new CommandError(51105, `${name} needs 'regex' to be of type string or regex, not ${typeOf(regex)}`);
  }
  const [source = '', own = ''] = (regex as BsonValue).bytes.toString('utf8').split('\0');
  if (flags !== undefined && own !== '') {
    throw new CommandError(51107, `${name}: found regex options specified in both 'regex' and 'options' fields`);
  }
  return compileRegex(source, flags ?? own);
}

const regexMatch: Operator = (operand, compiler, name) => {
  const given = namedArguments(operand, rules, name);
  const input = requiredArgument(given, 'input', compiler);
  const regex = requiredArgument(given, 'regex', compiler);
  const options = optionalArgument(given, 'options', compiler);
  const isFixed = regex.constant && options?.constant !== false;
  const fixed = isFixed ? patternOf(constantValue(regex), options && constantValue(options), name) : undefined;
  return combine([input, regex, options], (frame) => {
    const text = input.evaluate(frame);
    const pattern = isFixed ? fixed : patternOf(regex.evaluate(frame), options?.evaluate(frame), name);
    if (isNullish(text)) return booleanValue(false);
    if (text.type !== bsonType.string) {
      throw new CommandError(51104, `${name} needs 'input' to be of type string, not ${typeOf(text)}`);
    }
    return booleanValue(pattern?.test(text.text) === true);
  });
};

export const regexOperators: Operators = { $regexMatch: regexMatch };
