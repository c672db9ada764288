import { toText } from '../bson/to-text.js';
import { type BsonValue, bsonType, fieldsOf, itemsOf } from '../bson/value.js';
import { toBson } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import { type Compiler, combine, constant, type Expression, type Frame } from './expression.js';
import { checkFieldName, parseFieldPath, readPath } from './field-path.js';
import { operators } from './operators.js';
import { arrayValue, documentOf, nullValue, type Value } from './values.js';

/** The variables an expression may name, and how many slots the frame has so far. */
interface Scope {
  constants: ReadonlyMap<string, Value>;
  slots: ReadonlyMap<string, number>;
  counter: { slots: number };
}

/** Compiles expressions of one command. */
export interface Expressions extends Compiler {
  /** A frame whose slots the expressions of this command use. Give every stage its own. */
  frame(): Frame;
}

function variableName(text: string): string {
  const name = text.split('.', 1)[0] ?? '';
  if (name === '') throw new CommandError(code.failedToParse, 'empty variable names are not allowed');
  const stray = /[^A-Za-z0-9_\u0080-\u{10ffff}]/u.exec(name) ?? /^[0-9_]/.exec(name);
  if (stray !== null) {
    throw new CommandError(
      code.failedToParse,
      `'${name}' contains an invalid character for a variable name: '${stray[0]}'`,
    );
  }
  return name;
}

/** @throws CommandError 9 for a name that no user variable may have */
export function checkVariableName(name: string): void {
  if (name === 'CURRENT') return;
  if (variableName(name) !== name || /^[A-Z]/.test(name)) {
    throw new CommandError(
      code.failedToParse,
      `'${name}' starts with or contains an invalid character for a user variable name`,
    );
  }
}

function compilePath(text: string, scope: Scope): Expression {
  if (text === '$') throw new CommandError(16872, "'$' by itself is not a valid FieldPath");
  if (!text.startsWith('$$')) {
    const path = parseFieldPath(text.slice(1));
    const current = scope.slots.get('CURRENT');
    if (current !== undefined) return reading((frame) => readPath(frame.slots[current], path));
    return reading((frame) => readPath(frame.root, path));
  }
  const name = variableName(text.slice(2));
  const rest = text.slice(2 + name.length + 1);
  const path = text.length > 2 + name.length ? parseFieldPath(rest) : undefined;
  const follow = (value: Value) => (path === undefined ? value : readPath(value, path));
  const slot = scope.slots.get(name);
  if (slot !== undefined) return reading((frame) => follow(frame.slots[slot]));
  if (name === 'ROOT' || name === 'CURRENT') return reading((frame) => follow(frame.root));
  if (name === 'REMOVE') return constant(undefined);
  if (scope.constants.has(name)) return constant(follow(scope.constants.get(name)));
  throw new CommandError(
    17276,
    `Use of undefined variable: ${name}; supported are ROOT, CURRENT, REMOVE, NOW and let variables`,
  );
}

function reading(evaluate: (frame: Frame) => Value): Expression {
  return { evaluate, constant: false };
}

function compileObject(value: BsonValue, scope: Scope): Expression {
  const fields = fieldsOf(value);
  if (fields[0]?.[0].startsWith('$') === true) return compileOperator(value, fields, scope);
  const names = new Set<string>();
  const parts = fields.map(([name, field]) => {
    checkFieldName(name);
    if (names.has(name)) throw new CommandError(16406, `duplicate field name specified in object literal: ${name}`);
    names.add(name);
    return [name, compileIn(field, scope)] as const;
  });
  return combine(
    parts.map(([, part]) => part),
    (frame) => documentOf(parts.map(([name, part]) => [name, part.evaluate(frame)] as const)),
  );
}

function compileOperator(value: BsonValue, fields: [string, BsonValue][], scope: Scope): Expression {
  const [only, ...more] = fields;
  if (only === undefined || more.length > 0) {
    throw new CommandError(15983, `An object representing an expression must have exactly one field: ${toText(value)}`);
  }
  const [name, operand] = only;
  const operator = Object.hasOwn(operators, name) ? operators[name] : undefined;
  if (operator === undefined) {
    const supported = Object.keys(operators).join(' ');
    throw new CommandError(code.unknownOperator, `Unrecognized expression '${name}'; supported are: ${supported}`);
  }
  return operator(operand, compilerOf(scope), name);
}

function compileIn(value: BsonValue, scope: Scope): Expression {
  if (value.type === bsonType.string && value.buffer[value.start + 4] === 0x24) return compilePath(value.text, scope);
  if (value.type === bsonType.document) return compileObject(value, scope);
  if (value.type === bsonType.array) {
    const parts = itemsOf(value).map((item) => compileIn(item, scope));
    return combine(parts, (frame) => arrayValue(parts.map((part) => part.evaluate(frame) ?? nullValue)));
  }
  return constant(value);
}

function compilerOf(scope: Scope): Compiler {
  return {
    compile: (value) => compileIn(value, scope),
    bind(names) {
      names.forEach(checkVariableName);
      const bound = new Map(scope.slots);
      const slots = names.map((name) => {
        const slot = scope.counter.slots++;
        bound.set(name, slot);
        return slot;
      });
      return { slots, inner: compilerOf({ ...scope, slots: bound }) };
    },
  };
}

/**
 * The compiler of a command's expressions.
 *
 * @param now what `$$NOW` gives
 * @param variables a command's `let`: expressions without a document
 * @throws CommandError 168 for an operator that is unknown or not supported, 17276 for an unknown variable
 */
export function expressionsWith(now: Date, variables?: BsonValue): Expressions {
  const constants = new Map<string, Value>([['NOW', toBson(now)]]);
  const scope: Scope = { constants, slots: new Map(), counter: { slots: 0 } };
  for (const [name, value] of variables === undefined ? [] : fieldsOf(variables)) {
    checkVariableName(name);
    const expression = compileIn(value, scope);
    if (!expression.constant) {
      throw new CommandError(
        4890500,
        `Command let Expression tried to access a field, but this is not allowed: ${name}`,
      );
    }
    constants.set(name, expression.evaluate({ root: nullValue, slots: [] }));
  }
  return { ...compilerOf(scope), frame: () => ({ root: nullValue, slots: [] }) };
}
