import { decimalText } from './numbers.js';
import { type BsonValue, bsonType, fieldsOf, itemsOf, typeName } from './value.js';

/** A value as MongoDB's error messages write it; long ones are cut. */
export function toText(value: BsonValue): string {
  const text = render(value);
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}

function render(value: BsonValue): string {
  const { buffer, start } = value;
  switch (value.type) {
    case bsonType.string:
    case bsonType.symbol:
      return JSON.stringify(value.text);
    case bsonType.int32:
      return String(buffer.readInt32LE(start));
    case bsonType.double: {
      const double = buffer.readDoubleLE(start);
      return Number.isInteger(double) && Math.abs(double) < 1e15 ? double.toFixed(1) : String(double);
    }
    case bsonType.int64:
      return String(buffer.readBigInt64LE(start));
    case bsonType.decimal:
      return decimalText(value);
    case bsonType.boolean:
      return String(buffer[start] === 1);
    case bsonType.null:
      return 'null';
    case bsonType.objectId:
      return `ObjectId('${value.bytes.toString('hex')}')`;
    case bsonType.date:
      return `new Date(${buffer.readBigInt64LE(start)})`;
    case bsonType.document: {
      const fields = fieldsOf(value).map(([name, field]) => `${name}: ${render(field)}`);
      return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
    }
    case bsonType.array:
      return `[ ${itemsOf(value).map(render).join(', ')} ]`;
    default:
      return `<${typeName(value.type)}>`;
  }
}
