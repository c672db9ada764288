import { once } from 'node:events';
import { createServer as createHttpServer, request } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect } from 'chai';
import {
  type Fault,
  type Fixture,
  newTestKey,
  sendRaw,
  signToken,
  startFixture,
  type TestKey,
} from './gateway-fixture.js';
import type { Route } from './routes.js';

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain for: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('the gateway', function () {
  this.timeout(20_000);
  let fixture: Fixture;
  let key: TestKey;
  let token: string;

  before(async () => {
    key = await newTestKey();
    token = await signToken(key);
    fixture = await startFixture({ keys: [key] });
  });
  after(() => fixture.close());

  describe('in front of a service that fails', () => {
    const table: Route[] = [
      { method: 'GET', path: '/slow', service: 'read-api', auth: 'none', timeoutMs: 150 },
      { method: 'GET', path: '/patient', service: 'read-api', auth: 'none', timeoutMs: 30_000 },
      { method: 'POST', path: '/slow', service: 'read-api', auth: 'none', timeoutMs: 30_000 },
      { method: 'GET', path: '/cut', service: 'read-api', auth: 'none', timeoutMs: 5_000 },
      { method: 'GET', path: '/reset', service: 'read-api', auth: 'none', timeoutMs: 5_000 },
      { method: 'GET', path: '/rubbish', service: 'read-api', auth: 'none', timeoutMs: 5_000 },
      { method: 'GET', path: '/stream', service: 'read-api', auth: 'none', timeoutMs: 200 },
      { method: 'GET', path: '/early', service: 'read-api', auth: 'none', timeoutMs: 5_000 },
      { method: 'GET', path: '/down', service: 'command-api', auth: 'none', timeoutMs: 5_000 },
    ];
    let behind: Fixture;
    const seen: string[] = [];
    const ended: string[] = [];
    const answering = new Map<string, () => void>();
    const failing = createHttpServer((req, res) => {
      const name = `${req.method} ${req.url}`;
      seen.push(name);
      res.on('close', () => ended.push(`${name} ${res.writableFinished ? 'answered' : 'aborted'}`));
      if (req.url === '/cut') {
        res.setHeader('Content-Length', '1000');
        res.write('only this', () => res.destroy());
      } else if (req.url === '/reset') req.socket.resetAndDestroy();
      else if (req.url === '/rubbish') req.socket.end('what?\r\n\r\n');
      else if (req.url === '/stream') {
        res.write('first ');
        answering.set('stream', () => res.end('last'));
      } else if (req.url === '/early') {
        res.writeEarlyHints({ link: '</style.css>; rel=preload' });
        res.end('done');
      } else answering.set(name, () => res.end('at last'));
    });

    before(async () => {
      failing.listen(0, '127.0.0.1');
      await once(failing, 'listening');
      const url = `http://127.0.0.1:${(failing.address() as AddressInfo).port}`;
      const upstreams = { 'read-api': url, 'command-api': 'http://127.0.0.1:1' };
      behind = await startFixture({ keys: [key], gateway: { upstreams, routes: table } });
    });
    after(async () => {
      failing.closeAllConnections();
      failing.close();
      await behind.close();
    });

    const get = (path: string) => fetch(`${behind.gateway.url}/api/v1${path}`);
    const faultOf = async (path: string) => {
      const answer = await get(path);
      const { code, requestId } = (await answer.json()) as Fault;
      expect(requestId).to.equal(answer.headers.get('x-request-id'));
      return `${answer.status} ${code}`;
    };

    it('answers 502 when it is down', async () => {
      expect(await faultOf('/down')).to.equal('502 bad-gateway');
    });

    it('answers 502 when it hangs up, or does not speak HTTP', async () => {
      expect(await faultOf('/reset')).to.equal('502 bad-gateway');
      expect(await faultOf('/rubbish')).to.equal('502 bad-gateway');
    });

    it('answers 504 when it is too slow, and lets it go', async () => {
      expect(await faultOf('/slow')).to.equal('504 gateway-timeout');
      await until('the upstream request to be aborted', () => ended.includes('GET /slow aborted'));
    });

    it('breaks off when it breaks off', async () => {
      const answer = await get('/cut');
      expect(answer.status).to.equal(200);
      const outcome = await answer.text().catch((error: unknown) => error);
      expect(outcome).to.be.instanceOf(Error);
    });

    it('streams, and a body may take longer than an answer', async () => {
      const answer = await get('/stream');
      const reader = answer.body?.getReader();
      expect(Buffer.from((await reader?.read())?.value ?? []).toString()).to.equal('first ');
      const waited = Date.now() + 300;
      await until('more time than the limit', () => Date.now() > waited);
      answering.get('stream')?.();
      expect(Buffer.from((await reader?.read())?.value ?? []).toString()).to.equal('last');
      expect((await reader?.read())?.done).to.equal(true);
    });

    it('passes over early hints', async () => {
      expect(await (await get('/early')).text()).to.equal('done');
    });

    it('gives up a read when its client leaves', async () => {
      const leaving = new AbortController();
      const left = fetch(`${behind.gateway.url}/api/v1/patient`, { signal: leaving.signal }).catch(() => 'left');
      await until('the read to arrive', () => seen.includes('GET /patient'));
      leaving.abort();
      expect(await left).to.equal('left');
      await until('the read to be given up', () => ended.includes('GET /patient aborted'));
    });

    it('lets a write end whose client leaves', async () => {
      const leaving = request(`${behind.gateway.url}/api/v1/slow`, { method: 'POST' });
      leaving.on('error', () => {});
      leaving.end('x');
      await until('the write to arrive', () => seen.includes('POST /slow'));
      leaving.destroy();
      await until('the gateway to notice', () => leaving.closed);
      expect((await get('/early')).status).to.equal(200);
      answering.get('POST /slow')?.();
      await until('the write to end', () => ended.some((name) => name.startsWith('POST /slow')));
      expect(ended).to.include('POST /slow answered');
    });

    it('forgets a request that ends in the middle', async () => {
      const before = seen.length;
      const socket = connect(behind.gateway.port, '127.0.0.1');
      socket.write('POST /api/v1/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf');
      await once(socket, 'connect');
      socket.destroy();
      expect((await get('/early')).status).to.equal(200);
      expect(seen.slice(before)).to.deep.equal(['GET /early']);
    });
  });

  describe('in front of a service that takes connections and says nothing', () => {
    it('answers 504 for all who wait, and never sends what waited for a connection until then', async () => {
      let arrived = '';
      const silent = createServer((socket) => {
        socket.on('error', () => {});
        socket.on('data', (data) => {
          arrived += data.toString('latin1');
        });
      }).listen(0, '127.0.0.1');
      await once(silent, 'listening');
      const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
      const row = { method: 'POST', service: 'read-api', auth: 'none' } as const;
      const table: Route[] = [
        { ...row, path: '/first', timeoutMs: 1_500 },
        { ...row, path: '/second', timeoutMs: 100 },
      ];
      const behind = await startFixture({
        keys: [],
        gateway: { upstreams: { 'read-api': url, 'command-api': url }, routes: table },
      });
      const post = async (path: string) => {
        const answer = await fetch(`${behind.gateway.url}/api/v1${path}`, { method: 'POST', body: '{}' });
        await answer.text();
        return answer.status;
      };
      try {
        const first = Array.from({ length: 128 }, () => post('/first'));
        await until('every connection to be taken', () => arrived.split('POST /first ').length === 129);
        const second = Array.from({ length: 40 }, () => post('/second'));
        expect(new Set(await Promise.all(second))).to.deep.equal(new Set([504]));
        expect(new Set(await Promise.all(first))).to.deep.equal(new Set([504]));
      } finally {
        await behind.close();
        silent.close();
      }
      expect(arrived).not.to.include('POST /second');
    });
  });

  describe('asked for health', () => {
    it('answers for all services, 200', async () => {
      const answer = await fetch(`${fixture.gateway.url}/api/v1/health`);
      expect(answer.status).to.equal(200);
      const body = (await answer.json()) as { success: boolean; data: Record<string, unknown> };
      expect(body.success).to.equal(true);
      expect(body.data).to.include({ status: 'healthy', service: 'gateway' });
      expect(body.data['checks']).to.deep.equal({ 'command-api': 'ok', 'read-api': 'ok' });
    });

    it('names the one that does not answer in time, 503', async () => {
      const silent = createServer(() => {}).listen(0, '127.0.0.1');
      await once(silent, 'listening');
      const healthOf = {
        'read-api': fixture.services['read-api'].url,
        down: 'http://127.0.0.1:1',
        silent: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
      };
      const behind = await startFixture({ keys: [], gateway: { healthOf } });
      try {
        const answer = await fetch(`${behind.gateway.url}/api/v1/health`);
        expect(answer.status).to.equal(503);
        const body = (await answer.json()) as Fault & { data: Record<string, unknown> };
        expect(body).to.include({ success: false, code: 'unhealthy', statusCode: 503 });
        expect(body.data).to.include({ status: 'unhealthy' });
        expect(body.data['checks']).to.deep.equal({ 'read-api': 'ok', down: 'failed', silent: 'failed' });
      } finally {
        silent.close();
        await behind.close();
      }
    });
  });

  it('answers alike over one connection that is kept', async () => {
    const one = `GET /api/v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    const last = one.replace('Host: x', 'Host: x\r\nConnection: close').replace(token, 'x');
    const answer = await sendRaw(fixture.gateway.port, one + one + last);
    expect(answer.match(/HTTP\/1\.1 \d+/g)).to.deep.equal(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 401']);
  });
});
