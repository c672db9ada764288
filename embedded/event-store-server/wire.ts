/**
 * The few protobuf wire primitives that the hot paths need. Stored events and answers are written as bytes once and
 * passed through afterwards; everything rare goes through the client's generated message classes instead.
 */

export const wireVarint = 0;
export const wireBytes = 2;

export function varintSize(value: number): number {
  let size = 1;
  while (value >= 128) {
    value = Math.floor(value / 128);
    size += 1;
  }
  return size;
}

/** Writes protobuf fields into a buffer whose size the caller worked out before. */
export class WireWriter {
  offset: number;

  constructor(
    readonly target: Buffer,
    offset = 0,
  ) {
    this.offset = offset;
  }

  /** An unsigned integer up to 2^53 - 1. */
  varint(value: number): void {
    while (value >= 0x80000000) {
      this.target[this.offset++] = (value % 128) | 128;
      value = Math.floor(value / 128);
    }
    while (value >= 128) {
      this.target[this.offset++] = (value & 127) | 128;
      value >>>= 7;
    }
    this.target[this.offset++] = value;
  }

  tag(field: number, wireType: number): void {
    this.varint(field * 8 + wireType);
  }

  /** A varint field; zero is left out, as proto3 does. */
  number(field: number, value: number): void {
    if (value === 0) return;
    this.tag(field, wireVarint);
    this.varint(value);
  }

  /** The head of a length-delimited field whose content follows. */
  open(field: number, length: number): void {
    this.tag(field, wireBytes);
    this.varint(length);
  }

  bytes(field: number, value: Uint8Array): void {
    this.open(field, value.length);
    this.raw(value);
  }

  ascii(field: number, value: string): void {
    this.open(field, value.length);
    this.offset += this.target.write(value, this.offset, 'latin1');
  }

  raw(value: Uint8Array): void {
    this.target.set(value, this.offset);
    this.offset += value.length;
  }
}

/** Size of a length-delimited field with a one-byte tag, tag and length included. */
export function delimitedSize(length: number): number {
  return 1 + varintSize(length) + length;
}

/** Size of a varint field with a one-byte tag; zero is left out. */
export function numberSize(value: number): number {
  return value === 0 ? 0 : 1 + varintSize(value);
}

export function writeU64(target: Buffer, value: number, offset: number): void {
  target.writeUInt32BE(Math.floor(value / 0x100000000), offset);
  target.writeUInt32BE(value % 0x100000000, offset + 4);
}

export function readU64(source: Buffer, offset: number): number {
  return source.readUInt32BE(offset) * 0x100000000 + source.readUInt32BE(offset + 4);
}

/**
 * Reads protobuf fields in the form that writers give them. Where it meets anything else, however legal, it gives up:
 * it has no more to read then, and what it answered does not count.
 */
export class WireReader {
  gaveUp = false;
  private offset = 0;
  private end: number;

  constructor(private readonly source: Buffer) {
    this.end = source.length;
  }

  more(): boolean {
    return this.offset < this.end;
  }

  giveUp(): void {
    this.gaveUp = true;
    this.offset = this.end;
  }

  /** Field number times eight plus wire type, of a field below 16; another number for any other. */
  tag(): number {
    return this.byte();
  }

  /** An unsigned integer below 2^49. */
  varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 49; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    this.giveUp();
    return 0;
  }

  skipVarint(): void {
    for (let length = 1; this.byte() >= 128; length += 1) if (length === 10) this.giveUp();
  }

  flag(): boolean {
    const value = this.byte();
    if (value > 1) this.giveUp();
    return value === 1;
  }

  /** Narrows the reader to the message that begins here. @returns what `leave` wants */
  enter(): number {
    const outer = this.end;
    this.end = this.valueEnd();
    return outer;
  }

  leave(outer: number): void {
    if (this.more()) this.giveUp();
    this.end = outer;
    if (this.gaveUp) this.offset = outer;
  }

  /** What is left of the message it is in. */
  view(): Buffer {
    return this.source.subarray(this.offset, this.end);
  }

  bytes(): Buffer {
    const end = this.valueEnd();
    const value = this.source.subarray(this.offset, end);
    this.offset = end;
    return value;
  }

  /** A string of ASCII characters; it gives up on others. */
  ascii(): string {
    const end = this.valueEnd();
    const text = this.source.toString('latin1', this.offset, end);
    for (; this.offset < end; this.offset += 1) if ((this.source[this.offset] ?? 0) >= 128) this.giveUp();
    return text;
  }

  private byte(): number {
    if (this.offset >= this.end) {
      this.giveUp();
      return 0;
    }
    return this.source[this.offset++] ?? 0;
  }

  private valueEnd(): number {
    const length = this.varint();
    if (length <= this.end - this.offset) return this.offset + length;
    this.giveUp();
    return this.end;
  }
}
