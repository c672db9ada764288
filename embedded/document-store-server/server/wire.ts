import { CommandError } from '../errors.js';
import { crc32c } from './crc32c.js';
import type { Request } from './dispatch.js';

const headerLength = 16;
export const longestMessage = 48_000_000;

const opcode = { reply: 1, query: 2004, compressed: 2012, message: 2013 } as const;
const flag = { checksum: 1, moreToCome: 2 } as const;

/** Bytes that are no message of the protocol: the connection cannot go on. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

export interface Message {
  requestId: number;
  request: Request;
  /** the namespace's database of a legacy OP_QUERY, the first message of every driver connection */
  legacyDatabase: string | undefined;
  /** the client wants no answer */
  unanswered: boolean;
}

/** Cuts a stream of bytes into whole messages. */
export class MessageReader {
  private chunks: Buffer[] = [];
  private size = 0;

  /** @throws ProtocolError for a length that cannot be */
  push(chunk: Buffer): Buffer[] {
    this.chunks.push(chunk);
    this.size += chunk.length;
    const messages: Buffer[] = [];
    let needed = this.neededLength();
    while (needed !== undefined && this.size >= needed) {
      const all = Buffer.concat(this.chunks, this.size);
      messages.push(all.subarray(0, needed));
      this.chunks = [all.subarray(needed)];
      this.size -= needed;
      needed = this.neededLength();
    }
    return messages;
  }

  private neededLength(): number | undefined {
    if (this.size < 4) return undefined;
    const [first] = this.chunks;
    if (first === undefined || first.length < 4) this.chunks = [Buffer.concat(this.chunks, this.size)];
    const length = this.chunks[0]?.readInt32LE(0) ?? 0;
    if (length < headerLength || length > longestMessage) throw new ProtocolError(`a message of ${length} bytes`);
    return length;
  }
}

function documentAt(bytes: Buffer, at: number, end: number): Buffer {
  const length = at + 4 <= end ? bytes.readInt32LE(at) : 0;
  if (length < 5 || at + length > end) throw new ProtocolError('a document does not fit its message');
  return bytes.subarray(at, at + length);
}

function nameAt(bytes: Buffer, at: number, end: number): string {
  const stop = bytes.indexOf(0, at);
  if (stop < 0 || stop >= end) throw new ProtocolError('a name does not fit its message');
  return bytes.toString('utf8', at, stop);
}

function parseMessage(bytes: Buffer, requestId: number): Message {
  const flags = bytes.length >= 20 ? bytes.readUInt32LE(16) : 0;
  if ((flags & 0xfffc) !== 0) throw new ProtocolError('an OP_MSG with unknown required flags');
  const hasChecksum = (flags & flag.checksum) !== 0;
  const end = bytes.length - (hasChecksum ? 4 : 0);
  if (hasChecksum && (end < 20 || bytes.readUInt32LE(end) !== crc32c(bytes.subarray(0, end)))) {
    throw new ProtocolError('an OP_MSG whose checksum does not match');
  }
  const sequences = new Map<string, Buffer[]>();
  let fault: CommandError | undefined;
  let document: Buffer | undefined;
  let at = 20;
  while (at < end) {
    const kind = bytes[at++];
    if (kind === 0) {
      if (document !== undefined) fault = new CommandError(40430, 'Multiple body sections in message');
      document = documentAt(bytes, at, end);
      at += document.length;
    } else if (kind === 1 && at + 4 <= end) {
      const sectionEnd = at + bytes.readInt32LE(at);
      if (sectionEnd > end || sectionEnd < at + 5)
        throw new ProtocolError('a document sequence does not fit its message');
      const name = nameAt(bytes, at + 4, sectionEnd);
      const documents: Buffer[] = [];
      at += 5 + Buffer.byteLength(name);
      while (at < sectionEnd) {
        const next = documentAt(bytes, at, sectionEnd);
        documents.push(next);
        at += next.length;
      }
      if (sequences.has(name)) fault = new CommandError(40431, `Duplicate document sequence: ${name}`);
      sequences.set(name, documents);
    } else {
      throw new ProtocolError(`an OP_MSG section of kind ${kind}`);
    }
  }
  if (document === undefined) {
    fault = new CommandError(40587, 'OP_MSG messages must have a body section');
    document = Buffer.of(5, 0, 0, 0, 0);
  }
  const unanswered = (flags & flag.moreToCome) !== 0;
  return { requestId, request: { document, sequences, fault }, legacyDatabase: undefined, unanswered };
}

function parseQuery(bytes: Buffer, requestId: number): Message {
  const namespace = nameAt(bytes, 20, bytes.length);
  const document = documentAt(bytes, 20 + Buffer.byteLength(namespace) + 1 + 8, bytes.length);
  if (!namespace.endsWith('.$cmd')) throw new ProtocolError('an OP_QUERY that is no command');
  return {
    requestId,
    request: { document, sequences: new Map() },
    legacyDatabase: namespace.slice(0, -'.$cmd'.length),
    unanswered: false,
  };
}

/** @throws ProtocolError for anything but OP_MSG and the OP_QUERY of a handshake */
export function parse(bytes: Buffer): Message {
  const requestId = bytes.readInt32LE(4);
  const kind = bytes.readInt32LE(12);
  if (kind === opcode.message) return parseMessage(bytes, requestId);
  if (kind === opcode.query) return parseQuery(bytes, requestId);
  throw new ProtocolError(`a message of the unsupported kind ${kind}`);
}

let nextReplyId = 1;

/** The answer to a message: OP_REPLY to the legacy handshake, OP_MSG to all else. */
export function answer(message: Message, document: Buffer): Buffer[] {
  const isLegacy = message.legacyDatabase !== undefined;
  const head = Buffer.alloc(isLegacy ? 36 : 21);
  head.writeInt32LE(head.length + document.length, 0);
  nextReplyId = (nextReplyId + 1) & 0x7fffffff;
  head.writeInt32LE(nextReplyId, 4);
  head.writeInt32LE(message.requestId, 8);
  head.writeInt32LE(isLegacy ? opcode.reply : opcode.message, 12);
  if (isLegacy) {
    head.writeInt32LE(8, 16);
    head.writeInt32LE(1, 32);
  }
  return [head, document];
}
