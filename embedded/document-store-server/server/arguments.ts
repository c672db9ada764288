import { toDouble, toInteger } from '../bson/numbers.js';
import { type BsonValue, bsonType, documentValue, fieldsOf, itemsOf, typeName } from '../bson/value.js';
import { writeDocument } from '../bson/write.js';
import { CommandError, code } from '../errors.js';

/** Fields any command may carry; dispatch looks at them, so a command need not. */
const generic = new Set([
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

/** The fields of a command or statement. Each must be read or refused: `finish` names one that was not. */
export class Arguments {
  private readonly fields = new Map<string, BsonValue>();
  private readonly read = new Set<string>();

  constructor(
    readonly name: string,
    document: BsonValue,
    private readonly sequences: ReadonlyMap<string, Buffer[]> = new Map(),
  ) {
    for (const [field, value] of fieldsOf(document)) {
      if (this.fields.has(field)) throw new CommandError(40413, `BSON field '${name}.${field}' is a duplicate field`);
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
    return value?.type === bsonType.null ? undefined : value;
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

  /** A whole number of at least `least`. */
  count(field: string, least = 0): number | undefined {
    const value = this.value(field);
    if (value === undefined) return undefined;
    if (!value.isNumber) throw this.wrongType(field, value, 'long');
    const number = Number(toInteger(value) ?? Number.NaN);
    if (!Number.isSafeInteger(number) || number < least) {
      throw new CommandError(51024, `BSON field '${field}' value must be a whole number >= ${least}`);
    }
    return number;
  }

  /** Documents from an array or from a document sequence of the message. */
  documents(field: string): Buffer[] {
    const sequence = this.sequences.get(field);
    if (sequence !== undefined) {
      this.read.add(field);
      return sequence;
    }
    const value = this.value(field);
    if (value === undefined)
      throw new CommandError(40414, `BSON field '${this.name}.${field}' is missing but required`);
    if (value.type !== bsonType.array) throw this.wrongType(field, value, 'array');
    return itemsOf(value).map((item) => {
      if (item.type !== bsonType.document) throw this.wrongType(field, item, 'object');
      return item.bytes;
    });
  }

  required<T>(field: string, value: T | undefined): T {
    if (value === undefined)
      throw new CommandError(40414, `BSON field '${this.name}.${field}' is missing but required`);
    return value;
  }

  /** The collection a command is about: the value under the command's own name. */
  collection(): string {
    const value = this.value(this.name);
    if (value?.type !== bsonType.string) {
      throw new CommandError(code.invalidNamespace, `collection name has invalid type for '${this.name}'`);
    }
    return value.text;
  }

  /** Options of MongoDB that this server does not have; false and absent ask for nothing and pass. */
  refuse(...options: string[]): void {
    for (const option of options) {
      const value = this.value(option);
      if (value === undefined) continue;
      if (value.type === bsonType.boolean && value.buffer[value.start] === 0) continue;
      throw new CommandError(code.invalidOptions, `the option '${option}' of '${this.name}' is not supported`);
    }
  }

  /** Options that rightly change nothing on a standalone server. */
  allow(...options: string[]): void {
    for (const option of options) this.read.add(option);
  }

  /** @throws CommandError 40415, or another code, for a field nobody read */
  finish(refusal: number = code.unknownField): void {
    for (const field of [...this.fields.keys(), ...this.sequences.keys()]) {
      if (!this.read.has(field) && !generic.has(field) && field !== this.name) {
        throw new CommandError(refusal, `BSON field '${this.name}.${field}' is an unknown field.`);
      }
    }
  }
}
