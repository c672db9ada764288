import {
  Binary,
  BSON,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson';
import type { Doc, Value } from './model/values.js';

/** The document's BSON, its fields in their order. */
export function encode(doc: Doc): Buffer {
  return Buffer.from(BSON.serialize(doc as unknown as BSON.Document));
}

/** The document with its fields in their order and every number in its own class, as the package's reader has neither. */
export function decode(bytes: Buffer): Doc {
  const reader = new Reader(bytes);
  const doc = reader.document();
  if (reader.at !== bytes.length) throw new RangeError('there are bytes behind the document');
  return doc;
}

/** The documents that an array of documents holds, as they lie in it. */
export function documentsIn(bytes: Buffer, name: string): Buffer[] {
  const reader = new Reader(bytes);
  const found: Buffer[] = [];
  for (const [field, type] of reader.fields()) {
    if (field !== name) {
      reader.value(type);
      continue;
    }
    for (const _ of reader.fields()) {
      const length = bytes.readInt32LE(reader.at);
      found.push(bytes.subarray(reader.at, reader.at + length));
      reader.at += length;
    }
  }
  return found;
}

class Reader {
  at = 0;

  constructor(private readonly bytes: Buffer) {}

  document(): Doc {
    const doc = new Map<string, Value>();
    for (const [name, type] of this.fields()) doc.set(name, this.value(type));
    return doc;
  }

  /** Names and type bytes; whoever asks reads the value before the next one. */
  *fields(): Generator<[name: string, type: number]> {
    this.at += 4;
    for (let type = this.byte(); type !== 0; type = this.byte()) yield [this.cString(), type];
  }

  value(type: number): Value {
    switch (type) {
      case 0x01:
        return new Double(this.bytes.readDoubleLE(this.skip(8)));
      case 0x02:
        return this.string();
      case 0x03:
        return this.document();
      case 0x04:
        return [...this.document().values()];
      case 0x05: {
        const length = this.int32();
        const subtype = this.byte();
        return new Binary(Buffer.from(this.slice(length)), subtype);
      }
      case 0x07:
        return new ObjectId(Buffer.from(this.slice(12)));
      case 0x08:
        return this.byte() === 1;
      case 0x09:
        return new Date(Number(this.bytes.readBigInt64LE(this.skip(8))));
      case 0x0a:
        return null;
      case 0x0b:
        return new BSONRegExp(this.cString(), this.cString());
      case 0x0d:
        return new Code(this.string());
      case 0x0e:
        return new BSONSymbol(this.string());
      case 0x10:
        return new Int32(this.int32());
      case 0x11: {
        const i = this.bytes.readUInt32LE(this.skip(4));
        return new Timestamp({ i, t: this.bytes.readUInt32LE(this.skip(4)) });
      }
      case 0x12:
        return Long.fromBigInt(this.bytes.readBigInt64LE(this.skip(8)));
      case 0x13:
        return new Decimal128(Buffer.from(this.slice(16)));
      case 0x7f:
        return new MaxKey();
      case 0xff:
        return new MinKey();
      default:
        throw new RangeError(`no value of the model has the type byte ${type}`);
    }
  }

  private byte(): number {
    return this.bytes[this.skip(1)] as number;
  }

  private int32(): number {
    return this.bytes.readInt32LE(this.skip(4));
  }

  private string(): string {
    const length = this.int32();
    return this.slice(length).toString('utf8', 0, length - 1);
  }

  private cString(): string {
    const start = this.at;
    const end = this.bytes.indexOf(0, start);
    this.at = end + 1;
    return this.bytes.toString('utf8', start, end);
  }

  private slice(length: number): Buffer {
    return this.bytes.subarray(this.skip(length), this.at);
  }

  private skip(length: number): number {
    this.at += length;
    return this.at - length;
  }
}
