import { once } from 'node:events';
import net from 'node:net';
import { deserialize, serialize } from 'bson';
import { expect } from 'chai';
import type { Document } from 'mongodb';
import { startTestServer, type TestServer } from '../test-server.js';

const kind = { query: 2004, compressed: 2012, message: 2013, insert: 2002 };

function message(opcode: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(16);
  head.writeInt32LE(16 + body.length, 0);
  head.writeInt32LE(7, 4);
  head.writeInt32LE(opcode, 12);
  return Buffer.concat([head, body]);
}

function flags(bits: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(bits);
  return bytes;
}

const body = (document: Document) => Buffer.concat([Buffer.of(0), serialize(document)]);

function sequence(name: string, documents: Document[]): Buffer {
  const content = Buffer.concat([Buffer.from(`${name}\0`), ...documents.map((document) => serialize(document))]);
  const head = Buffer.alloc(5);
  head[0] = 1;
  head.writeInt32LE(content.length + 4, 1);
  return Buffer.concat([head, content]);
}

const opMsg = (bits: number, ...sections: Uint8Array[]) => message(kind.message, flags(bits), ...sections);
const insert = { insert: 'wire', $db: 'shop' };

interface Doc extends Document {
  _id: number;
}

describe('the wire protocol of the document store', () => {
  let server: TestServer;
  let socket: net.Socket;
  before(async () => {
    server = await startTestServer();
  });
  beforeEach(async () => {
    socket = net.connect(server.store.port, '127.0.0.1');
    await once(socket, 'connect');
  });
  afterEach(() => void socket.destroy());
  after(() => server.stop());

  async function ask(bytes: Buffer): Promise<Document> {
    socket.write(bytes);
    let received = Buffer.alloc(0);
    while (received.length < 16 || received.length < received.readInt32LE(0)) {
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      received = Buffer.concat([received, chunk]);
    }
    expect(received.readInt32LE(8)).to.equal(7);
    return deserialize(received.subarray(received.readInt32LE(12) === 1 ? 36 : 21));
  }

  async function closesAfter(bytes: Buffer): Promise<void> {
    const closed = once(socket, 'close');
    socket.write(bytes);
    await closed;
  }

  it('answers a command in OP_MSG, with documents beside it', async () => {
    const reply = await ask(opMsg(0, sequence('documents', [{ _id: 1 }, { _id: 2 }]), body(insert)));
    expect(reply).to.deep.equal({ n: 2, ok: 1 });
  });

  it('refuses bodies and sequences that contradict each other, and serves on', async () => {
    const documents = [{ _id: 9 }];
    const refused: [Buffer, number][] = [
      [opMsg(0, body(insert), body(insert)), 40430],
      [opMsg(0, body(insert), sequence('documents', documents), sequence('documents', documents)), 40431],
      [opMsg(0, body({ ...insert, documents }), sequence('documents', documents)), 40433],
      [opMsg(0, sequence('documents', documents)), 40587],
      [opMsg(0, body({ ping: 1 })), 40571],
      [opMsg(0, body({ ping: 1, $db: 'a.b' })), 73],
      [opMsg(0, body({ ping: 1, $db: 1 })), 14],
      [opMsg(0, body({ find: 'wire', strange: 1, $db: 'shop' })), 40415],
      [opMsg(0, body({})), 59],
    ];
    for (const [bytes, code] of refused) {
      const reply = await ask(bytes);
      expect([reply['ok'], reply['code'], typeof reply['codeName'], typeof reply['errmsg']]).to.deep.equal([
        0,
        code,
        'string',
        'string',
      ]);
    }
    expect(await server.db.collection<Doc>('wire').findOne({ _id: 9 })).to.equal(null);
    expect((await ask(opMsg(0, body({ ping: 1, $db: 'shop' }))))['ok']).to.equal(1);
  });

  it('refuses a field given twice', async () => {
    const twice = serialize({ ping: 1, comment: 1, commenu: 1, $db: 'shop' });
    const at = Buffer.from(twice).indexOf('commenu');
    twice[at + 6] = 't'.charCodeAt(0);
    expect((await ask(opMsg(0, Buffer.of(0), twice)))['code']).to.equal(40413);
  });

  it('checks a CRC-32C checksum where there is one', async () => {
    const bytes = opMsg(1, body({ ping: 1, $db: 'shop' }), Buffer.alloc(4));
    bytes.writeUInt32LE(crcBitByBit(bytes.subarray(0, -4)), bytes.length - 4);
    expect((await ask(bytes))['ok']).to.equal(1);
    bytes.writeUInt32LE(bytes.readUInt32LE(bytes.length - 4) ^ 1, bytes.length - 4);
    await closesAfter(bytes);
  });

  it('takes exhaustAllowed for one answer, and answers nothing to moreToCome, errors included', async () => {
    expect((await ask(opMsg(0x10000, body({ ping: 1, $db: 'shop' }))))['ok']).to.equal(1);
    const silent = [
      opMsg(2, body({ noSuchCommand: 1, $db: 'shop' })),
      opMsg(2, body({ ...insert, documents: [{ _id: 1 }], writeConcern: { w: 0 } })),
      opMsg(2, body({ ...insert, documents: [{ _id: 5 }], writeConcern: { w: 0 } })),
    ];
    const reply = await ask(
      Buffer.concat([...silent, opMsg(0, body({ count: 'wire', query: { _id: 5 }, $db: 'shop' }))]),
    );
    expect(reply).to.deep.equal({ n: 1, ok: 1 });
  });

  it('answers the legacy handshake in OP_REPLY, and nothing else by OP_QUERY', async () => {
    const query = (command: Document) =>
      message(kind.query, flags(0), Buffer.from('admin.$cmd\0'), flags(0), flags(1), serialize(command));
    const said = await ask(query({ ismaster: 1, helloOk: true }));
    expect([said['ismaster'], said['helloOk'], said['maxWireVersion']]).to.deep.equal([true, true, 21]);
    expect((await ask(query({ find: 'wire' })))['code']).to.equal(352);
  });

  it('ends a connection that speaks compressed, legacy or malformed messages', async () => {
    const broken = [
      message(kind.compressed, flags(0), flags(0), Buffer.of(2)),
      message(kind.insert, flags(0), Buffer.from('shop.wire\0'), serialize({ _id: 7 })),
      opMsg(4, body({ ping: 1, $db: 'shop' })),
      opMsg(0, Buffer.of(2)),
    ];
    for (const bytes of broken) {
      await closesAfter(bytes);
      socket = net.connect(server.store.port, '127.0.0.1');
      await once(socket, 'connect');
    }
    expect(await server.db.collection<Doc>('wire').findOne({ _id: 7 })).to.equal(null);
  });
});

/** RFC 3720 by its definition. */
function crcBitByBit(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}
