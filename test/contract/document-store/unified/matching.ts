import { EJSON } from 'bson';
import type { Document } from 'mongodb';

/** What came is not what the test file says. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch';
}

/** A test that this runner or the server under test cannot take part in. */
export class Skipped extends Error {
  override readonly name = 'Skipped';
}

export type Lookup = (id: string) => unknown;

const numeric = new Set(['Int32', 'Double', 'Long', 'Decimal128']);

function bsonTypeOf(value: unknown): string[] {
  if (value === null) return ['null'];
  if (Array.isArray(value)) return ['array'];
  if (value instanceof Date) return ['date'];
  if (value instanceof RegExp) return ['regex'];
  if (typeof value === 'bigint') return ['long', 'number'];
  if (typeof value === 'number')
    return Number.isInteger(value) ? ['int', 'long', 'double', 'number'] : ['double', 'number'];
  if (typeof value === 'boolean') return ['bool'];
  if (typeof value === 'string') return ['string'];
  const named: Record<string, string[]> = {
    Int32: ['int', 'number'],
    Double: ['double', 'number'],
    Long: ['long', 'number'],
    Decimal128: ['decimal', 'number'],
    ObjectId: ['objectId'],
    Binary: ['binData'],
    Timestamp: ['timestamp'],
    MinKey: ['minKey'],
    MaxKey: ['maxKey'],
    BSONRegExp: ['regex'],
    Code: ['javascript'],
  };
  return named[(value as Document)['_bsontype'] ?? ''] ?? (Buffer.isBuffer(value) ? ['binData'] : ['object']);
}

function isPlain(value: unknown): value is Document {
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof RegExp) return false;
  return !Array.isArray(value) && !Buffer.isBuffer(value) && !('_bsontype' in value);
}

function asNumber(value: unknown): number | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
  const type = typeof value === 'object' && value !== null ? (value as Document)['_bsontype'] : undefined;
  return numeric.has(type ?? '') ? Number(String(value)) : undefined;
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = value instanceof Error ? `${value.name}: ${value.message}` : EJSON.stringify(value as Document);
  return text.length > 300 ? `${text.slice(0, 300)}...` : text;
}

function differ(path: string, expected: unknown, actual: unknown): Mismatch {
  return new Mismatch(`${path === '' ? 'the whole' : path}: expected ${shown(expected)}, got ${shown(actual)}`);
}

function hexOf(value: unknown): string {
  const bytes = isPlain(value) || typeof value !== 'object' ? undefined : ((value as Document)['buffer'] ?? value);
  return Buffer.from((bytes ?? []) as Uint8Array).toString('hex');
}

function matchSpecial(operator: string, operand: unknown, actual: unknown, lookup: Lookup, path: string): void {
  switch (operator) {
    case '$$exists':
      if ((actual !== undefined) !== operand) throw new Mismatch(`${path}: exists should be ${String(operand)}`);
      return;
    case '$$type': {
      const types = Array.isArray(operand) ? operand : [operand];
      if (actual === undefined || !bsonTypeOf(actual).some((type) => types.includes(type))) {
        throw new Mismatch(`${path}: expected type ${types.join(' or ')}, got ${shown(actual)}`);
      }
      return;
    }
    case '$$unsetOrMatches':
      if (actual !== undefined && actual !== null) match(operand, actual, lookup, path);
      return;
    case '$$matchesEntity':
      match(lookup(String(operand)), actual, lookup, path);
      return;
    case '$$matchesHexBytes':
      if (hexOf(actual) !== String(operand)) throw differ(path, operand, actual);
      return;
    case '$$sessionLsid':
      match((lookup(String(operand)) as { id: Document }).id, actual, lookup, path);
      return;
    case '$$lte':
      if (!((asNumber(actual) ?? Number.NaN) <= (asNumber(operand) ?? 0)))
        throw differ(path, { operator, operand }, actual);
      return;
    case '$$matchAsRoot':
      match(operand, actual, lookup, path, true);
      return;
    default:
      throw new Skipped(`this runner has no ${operator}`);
  }
}

/**
 * Compares by the rules of the unified test format: numbers by value across types, special operators, and additional
 * fields allowed in the outermost document.
 *
 * @throws Mismatch naming the path
 */
export function match(expected: unknown, actual: unknown, lookup: Lookup, path = '', isRoot = false): void {
  if (isPlain(expected)) {
    const [first, ...more] = Object.keys(expected);
    if (first?.startsWith('$$') === true && more.length === 0) {
      const operand = first === '$$unsetOrMatches' && isRoot ? { $$matchAsRoot: expected[first] } : expected[first];
      matchSpecial(first, operand, actual, lookup, path);
      return;
    }
    if (!isPlain(actual)) throw differ(path, expected, actual);
    for (const [name, value] of Object.entries(expected)) match(value, actual[name], lookup, `${path}.${name}`);
    const extra = Object.keys(actual).filter((name) => actual[name] !== undefined && !(name in expected));
    if (!isRoot && extra.length > 0) throw new Mismatch(`${path}: unexpected ${extra.join(', ')}`);
    return;
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) throw differ(path, expected, actual);
    for (const [at, item] of expected.entries()) match(item, actual[at], lookup, `${path}[${at}]`, isRoot);
    return;
  }
  const number = asNumber(expected);
  if (number !== undefined) {
    if (!Object.is(number, asNumber(actual))) throw differ(path, expected, actual);
  } else if (expected !== actual && (actual === undefined || shown({ v: expected }) !== shown({ v: actual }))) {
    throw differ(path, expected, actual);
  }
}
