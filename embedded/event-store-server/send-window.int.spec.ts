import { once } from 'node:events';
import {
  Client,
  credentials,
  type handleServerStreamingCall,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { expect } from 'chai';
import { sendWindow, sendWindowBytes } from './send-window.js';

type Call = ServerWritableStream<Buffer, Buffer>;

const asIs = (bytes: Buffer): Buffer => bytes;
const kibibyte = 1024;
const numbered = (n: number, size = kibibyte): Buffer => {
  const message = Buffer.alloc(size);
  message.writeUInt32BE(n);
  return message;
};
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

describe('a call with a send window', () => {
  let server: Server;
  let client: Client;
  let serve: (call: Call) => void;
  const method = (path: string) => ({
    path,
    requestStream: false,
    responseStream: true,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  });
  before(async () => {
    server = new Server({ interceptors: [sendWindow] });
    const read: handleServerStreamingCall<Buffer, Buffer> = (call) => serve(call);
    const ping: handleServerStreamingCall<Buffer, Buffer> = (call) => call.end();
    server.addService({ read: method('/t.T/Read'), ping: method('/t.T/Ping') }, { read, ping });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (err, bound) =>
        err === null ? resolve(bound) : reject(err),
      );
    });
    client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  });
  after(() => {
    client.close();
    server.forceShutdown();
  });

  const open = (path = '/t.T/Read') => client.makeServerStreamRequest(path, asIs, asIs, Buffer.alloc(0));
  /** Reads a call to its end: the numbers of its messages, and the status. */
  const readAll = async (call: ReturnType<typeof open>) => {
    const seen: number[] = [];
    call.on('data', (message: Buffer) => seen.push(message.readUInt32BE()));
    call.on('error', () => undefined);
    const { code } = await new Promise<Pick<ServiceError, 'code'>>((resolve) => call.once('status', resolve));
    return { seen, code };
  };

  it('takes messages up to the window before the first has left', async () => {
    const taken: boolean[] = [];
    serve = (call) => {
      while (call.writableLength === 0 && taken.length < 1_000) taken.push(call.write(numbered(taken.length)));
      call.end();
    };
    const { seen } = await readAll(open());
    expect(taken).to.have.length(sendWindowBytes / kibibyte);
    expect(taken).not.to.include(false);
    expect(seen).to.deep.equal(numbers(taken.length));
  });

  it('delivers what was written before it ends, in order, and then the status', async () => {
    const count = 500;
    serve = (call) => {
      for (const n of numbers(count)) call.write(numbered(n));
      call.end();
    };
    expect(await readAll(open())).to.deep.equal({ seen: numbers(count), code: status.OK });
    serve = (call) => {
      for (const n of numbers(count)) call.write(numbered(n));
      call.emit('error', { code: status.DATA_LOSS, message: 'lost' });
    };
    expect(await readAll(open())).to.deep.equal({ seen: numbers(count), code: status.DATA_LOSS });
  });

  it('takes one message larger than the window at a time', async () => {
    const waits: number[] = [];
    serve = (call) => {
      for (const n of numbers(3)) {
        call.write(numbered(n, 2 * sendWindowBytes));
        waits.push(call.writableLength);
      }
      call.end();
    };
    expect((await readAll(open())).seen).to.deep.equal([0, 1, 2]);
    expect(waits).to.deep.equal([1, 2, 3]);
  });

  it('holds a writer back whose reader does not read, and lets it go on when it does', async () => {
    const count = 4_000;
    let written = 0;
    let held = false;
    serve = (call) => {
      const pump = () => {
        while (written < count) {
          const goOn = call.write(numbered(written));
          written += 1;
          if (goOn) continue;
          held = true;
          call.once('drain', pump);
          return;
        }
        call.end();
      };
      pump();
    };
    const slow = open();
    slow.on('error', () => undefined);
    // A call that was never read from holds nothing back: gRPC's client gathers what comes.
    const [first] = (await once(slow, 'data')) as [Buffer];
    slow.pause();
    // Each comes and goes over the same connection, so whatever was able to leave has left.
    for (let round = 0; round < 20; round += 1) await readAll(open('/t.T/Ping'));
    expect(held).to.equal(true);
    // Two windows, HTTP/2's and ours, and the sixteen messages that a stream of objects holds.
    expect(written).to.be.lessThan((2 * sendWindowBytes) / kibibyte + 20);
    const rest = readAll(slow);
    slow.resume();
    const { seen, code } = await rest;
    expect([first.readUInt32BE(), ...seen]).to.deep.equal(numbers(count));
    expect(code).to.equal(status.OK);
  });

  it('ends when its reader goes away while the window is full', async () => {
    let cancelled: Promise<unknown> | undefined;
    serve = (call) => {
      cancelled = once(call, 'cancelled');
      for (let n = 0; n < 1_000 && call.write(numbered(n, 16 * kibibyte)); n += 1);
    };
    const leaving = open();
    leaving.on('error', () => undefined);
    await once(leaving, 'metadata');
    leaving.cancel();
    await cancelled;
  });
});
