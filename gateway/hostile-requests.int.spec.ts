import { connect } from 'node:net';
import { expect } from 'chai';
import { type Fault, type Fixture, newTestKey, sendRaw, startFixture } from './gateway-fixture.js';

describe('the gateway', function () {
  this.timeout(20_000);
  let fixture: Fixture;

  before(async () => {
    fixture = await startFixture({ keys: [await newTestKey()] });
  });
  after(() => fixture.close());

  const post = (
    body: Uint8Array | ReadableStream,
    path = '/api/v1/payments/webhooks/stripe',
    headers: Record<string, string> = {},
  ) =>
    fetch(`${fixture.gateway.url}${path}`, {
      method: 'POST',
      body,
      headers,
      ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
    } as RequestInit);
  const chunked = (bytes: number) =>
    new ReadableStream({
      pull(controller) {
        if (bytes <= 0) return controller.close();
        controller.enqueue(new Uint8Array(Math.min(bytes, 50_000)));
        bytes -= 50_000;
      },
    });

  describe('asked with a large body', () => {
    it('takes a megabyte, however it is framed', async () => {
      for (const body of [new Uint8Array(1_000_000), chunked(1_000_000)]) {
        const answer = await post(body);
        expect(answer.status).to.equal(200);
        await answer.body?.cancel();
      }
    });

    it('refuses more, however it is framed, and goes on', async () => {
      const before = fixture.reached.length;
      for (const size of [1_000_001, 3_000_000]) {
        for (const body of [new Uint8Array(size), chunked(size)]) {
          const answer = await post(body);
          expect(answer.status).to.equal(413);
          expect((await answer.json()) as Fault).to.include({ code: 'body-too-large', statusCode: 413 });
        }
      }
      expect(fixture.reached).to.have.length(before);
      expect((await fetch(`${fixture.gateway.url}/api/v1/products`)).status).to.equal(200);
    });

    it('reads no more than a few megabytes of one that does not end', async () => {
      const socket = connect(fixture.gateway.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write('POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
      const chunk = Buffer.concat([Buffer.from('186a0\r\n'), Buffer.alloc(100_000), Buffer.from('\r\n')]);
      let answer = '';
      let sent = 0;
      socket.on('data', (data) => {
        answer += data.toString('latin1');
      });
      const closed = new Promise((resolve) => socket.on('close', resolve));
      const pump = () => {
        while (!socket.destroyed && sent < 100_000_000) {
          sent += chunk.length;
          if (!socket.write(chunk)) return;
        }
      };
      socket.on('drain', pump);
      pump();
      await closed;
      expect(answer).to.match(/^HTTP\/1\.1 413 /);
      expect(sent).to.be.lessThan(40_000_000);
    });
  });

  describe('sent a request that two servers could read in two ways', () => {
    const framing = (lines: string[], rest = '') =>
      [`POST /api/v1/payments/webhooks/stripe HTTP/1.1`, 'Host: x', ...lines, '', rest].join('\r\n');
    const smuggled = 'GET /api/v1/products?smuggled=1 HTTP/1.1\r\nHost: x\r\n\r\n';

    const attempts: Record<string, string> = {
      'both Content-Length and Transfer-Encoding': framing(
        ['Content-Length: 6', 'Transfer-Encoding: chunked'],
        `0\r\n\r\n${smuggled}`,
      ),
      'Transfer-Encoding before Content-Length': framing(
        ['Transfer-Encoding: chunked', `Content-Length: ${smuggled.length + 5}`],
        `0\r\n\r\n${smuggled}`,
      ),
      'two lengths': framing(['Content-Length: 0', `Content-Length: ${smuggled.length}`], smuggled),
      'two lengths in one': framing([`Content-Length: 0, ${smuggled.length}`], smuggled),
      'a length with a sign': framing([`Content-Length: +${smuggled.length}`], smuggled),
      'a blank before the colon': framing([`Transfer-Encoding : chunked`, 'Content-Length: 5'], `0\r\n\r\n${smuggled}`),
      'an unknown coding': framing(['Transfer-Encoding: xchunked'], `0\r\n\r\n${smuggled}`),
      'chunked not last': framing(['Transfer-Encoding: chunked, identity'], `0\r\n\r\n${smuggled}`),
      'a folded header': framing(['Transfer-Encoding:', ' chunked', 'Content-Length: 5'], `0\r\n\r\n${smuggled}`),
      'a bare line feed': framing(['Content-Length: 0', 'X: y\nTransfer-Encoding: chunked'], smuggled),
      'a chunk size that is none': framing(['Transfer-Encoding: chunked'], `0x5\r\nhello\r\n0\r\n\r\n${smuggled}`),
      'a length in a trailer': framing(['Transfer-Encoding: chunked'], `0\r\nContent-Length: 99\r\n\r\n${smuggled}`),
      'a null byte in a header': framing(['Content-Length: 0', 'X: a\0b'], smuggled),
    };
    for (const [what, text] of Object.entries(attempts)) {
      it(`refuses it and closes: ${what}`, async () => {
        const before = fixture.reached.length;
        const answer = await sendRaw(fixture.gateway.port, text);
        expect(answer).to.match(/^HTTP\/1\.1 400 /);
        expect(answer.match(/HTTP\/1\.1 \d+/g)).to.have.length(1);
        expect(fixture.reached.slice(before).map(({ url }) => url)).to.deep.equal([]);
      });
    }

    it('frames what it forwards itself', async () => {
      const socket = 'Connection: close';
      const text = framing(['Transfer-Encoding: chunked', socket], `5;ext=1\r\nhello\r\n0\r\nX-Trailer: evil\r\n\r\n`);
      expect(await sendRaw(fixture.gateway.port, text)).to.match(/^HTTP\/1\.1 200 /);
      const said = fixture.reached.at(-1);
      expect(Buffer.from(String(said?.body), 'base64').toString()).to.equal('hello');
      expect(said?.headers).to.include({ 'content-length': '5' });
      expect(JSON.stringify(said)).not.to.include('evil');
      expect(said?.rawHeaders.filter((name) => /^content-length$/i.test(name))).to.have.length(1);
    });
  });

  describe('sent a path with a trick in it', () => {
    for (const path of [
      '//api/v1/orders',
      '/api/v1//orders',
      '/api/v1/products/../orders',
      '/api/v1/products/%2e%2e/orders',
      '/api/v1/products%2f1',
      '/api/v1/products;x',
      '/api/v1/products\\1',
      '/api/v1/products/%00',
      '/api/v1/products/%',
      'http://127.0.0.1/api/v1/products',
      '/api/v1/products#x',
    ]) {
      it(`refuses it: ${path}`, async () => {
        const before = fixture.reached.length;
        const answer = await sendRaw(
          fixture.gateway.port,
          `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
        );
        expect(answer).to.match(/^HTTP\/1\.1 400 /);
        expect(answer).to.include('"code":"malformed-url"');
        expect(fixture.reached).to.have.length(before);
      });
    }
  });
});
