import { toDouble } from '../bson/numbers.js';
import { type BsonValue, bsonType, documentValue, fieldsOf, itemsOf, typeName } from '../bson/value.js';
import { writeDocument } from '../bson/write.js';
import { CommandError, code } from '../errors.js';

/** Fields any command may carry; they are looked at before the command is, so a command need not. */
export const genericFields = new Set([
  '$db',
  'lsid',
  '$clusterTime',
  '$readPreference',
  'readConcern',
  'writeConcern',
  'apiVersion',
  'apiStrict',
  'apiDeprecationErrors',
  'comment',
  'maxTimeMS',
  'txnNumber',
  'autocommit',
  'startTransaction',
]);

function isSimple(collation: BsonValue): boolean {
  if (collation.type !== bsonType.document) return false;
  const fields = fieldsOf(collation);
  if (fields.length === 0) {
    throw new CommandError(code.missingField, "BSON field 'collation.locale' is missing but a required field");
  }
  return fields.every(
    ([name, value]) => name === 'locale' && value.type === bsonType.string && value.text === 'simple',
  );
}

/** The fields of a command or statement. Each must be read or refused: `finish` names one that was not. */
export class Arguments {
  private readonly fields = new Map<string, BsonValue>();
  private readonly read = new Set<string>();
  private readonly lacking = new Set<string>();
  private readonly refused: string[] = [];

  constructor(
    readonly name: string,
    readonly command: BsonValue,
    private readonly sequences: ReadonlyMap<string, Buffer[]> = new Map(),
  ) {
    for (const [field, value] of fieldsOf(command)) {
      if (this.fields.has(field))
        throw new CommandError(code.duplicateField, `BSON field '${name}.${field}' is a duplicate field`);
      if (sequences.has(field)) {
        throw new CommandError(40433, `Duplicate field between body and document sequence ${field}`);
      }
      this.fields.set(field, value);
    }
  }

  private wrongType(field: string, value: BsonValue, expected: string): CommandError {
    return new CommandError(
      code.typeMismatch,
      `BSON field '${this.name}.${field}' is the wrong type '${typeName(value.type)}', expected type '${expected}'`,
    );
  }

  value(field: string): BsonValue | undefined {
    this.read.add(field);
    const value = this.fields.get(field);
    return value?.type === bsonType.null || value?.type === bsonType.undefined ? undefined : value;
  }

  text(field: string): string | undefined {
    const value = this.value(field);
    if (value !== undefined && value.type !== bsonType.string) throw this.wrongType(field, value, 'string');
    return value?.text;
  }

  document(field: string): BsonValue | undefined {
    const value = this.value(field);
    if (value !== undefined && value.type !== bsonType.document) throw this.wrongType(field, value, 'object');
    return value;
  }

  /** An optional filter, sort or projection: absent means empty. */
  documentOrEmpty(field: string): BsonValue {
    return this.document(field) ?? documentValue(writeDocument({}));
  }

  flag(field: string): boolean {
    const value = this.value(field);
    if (value === undefined) return false;
    if (value.type === bsonType.boolean) return value.buffer[value.start] === 1;
    if (value.isNumber) return toDouble(value) !== 0;
    throw this.wrongType(field, value, 'bool');
  }

  /** Options that rightly change nothing on a standalone server, of the type they must have. */
  flags(...options: string[]): void {
    for (const option of options) this.flag(option);
  }

  /** An index that the client insists on, by name or key pattern. */
  hint(): BsonValue | undefined {
    const value = this.value('hint');
    if (value === undefined || value.type === bsonType.string || value.type === bsonType.document) return value;
    throw new CommandError(code.failedToParse, 'Hint must be a string or an object');
  }

  /** A number of at least `least`; a fraction is cut off. */
  count(field: string, least = 0): number | undefined {
    const value = this.value(field);
    if (value === undefined) return undefined;
    if (!value.isNumber) throw this.wrongType(field, value, 'long');
    const number = Math.trunc(toDouble(value)) || 0;
    if (number < least) {
      throw new CommandError(51024, `BSON field '${field}' value must be >= ${least}, actual value '${number}'`);
    }
    return Math.min(number, Number.MAX_SAFE_INTEGER);
  }

  /** Documents from an array or from a document sequence of the message. */
  documents(field: string): Buffer[] {
    const sequence = this.sequences.get(field);
    if (sequence !== undefined) {
      this.read.add(field);
      return sequence;
    }
    return this.items(field).map((item) => {
      if (item.type !== bsonType.document) throw this.wrongType(field, item, 'object');
      return item.bytes;
    });
  }

  /** The items of a required array. */
  items(field: string): BsonValue[] {
    const array = this.required(field, this.value(field));
    if (array.type !== bsonType.array) throw this.wrongType(field, array, 'array');
    return itemsOf(array);
  }

  required<T>(field: string, value: T | undefined): T {
    if (value === undefined)
      throw new CommandError(code.missingField, `BSON field '${this.name}.${field}' is missing but a required field`);
    return value;
  }

  /** The collection a command is about: the value under the command's own name. */
  collection(): string {
    const value = this.value(this.name);
    if (value?.type !== bsonType.string) {
      throw new CommandError(code.invalidNamespace, `collection name has invalid type for '${this.name}'`);
    }
    const name = value.text;
    if (name === '' || name.startsWith('.') || name.includes('$') || name.includes('\0')) {
      throw new CommandError(code.invalidNamespace, `Invalid collection name: '${name}'`);
    }
    return name;
  }

  /**
   * Options of MongoDB that this server does not have: `finish` tells of the first that was given. False and absent ask
   * for nothing and pass, and so does the collation that compares as without one.
   */
  refuse(...options: string[]): void {
    for (const option of options) {
      const value = this.value(option);
      if (value === undefined || (value.type === bsonType.boolean && value.buffer[value.start] === 0)) continue;
      if (option === 'collation' && isSimple(value)) continue;
      this.refused.push(option);
    }
    for (const option of options) this.lacking.add(option);
  }

  /** Options that rightly change nothing on a standalone server, whatever they are. */
  allow(...options: string[]): void {
    for (const option of options) this.read.add(option);
  }

  /** For commands that take fields of any name. @returns those that nobody read */
  allowRest(): string[] {
    const rest = [...this.fields.keys()].filter((field) => !this.read.has(field) && !genericFields.has(field));
    this.allow(...rest);
    return rest;
  }

  /**
   * To be called before anything is done.
   *
   * @throws CommandError 72 for a refused option; 40415, or another code, for a field nobody read
   */
  finish(refusal: number = code.unknownField): void {
    const [refused] = this.refused;
    if (refused !== undefined) {
      const known = [...this.read]
        .filter((option) => !this.lacking.has(option) && !genericFields.has(option) && option !== this.name)
        .sort();
      const hint = refused === 'collation' ? `only { locale: 'simple' }` : known.join(', ');
      throw new CommandError(
        code.invalidOptions,
        `the option '${refused}' of '${this.name}' is not supported; supported: ${hint}`,
      );
    }
    for (const field of [...this.fields.keys(), ...this.sequences.keys()]) {
      if (!this.read.has(field) && !genericFields.has(field) && field !== this.name) {
        throw new CommandError(refusal, `BSON field '${this.name}.${field}' is an unknown field.`);
      }
    }
  }
}
