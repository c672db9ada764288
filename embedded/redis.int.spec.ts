import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { silentLogger } from '../runtime/logger.js';
import { findRedis, RedisError, type RunningRedis, redisCommand, startRedis } from './redis.js';

describe('redis', () => {
  let dataDir: string;
  const running: RunningRedis[] = [];
  const start = async (port = 0) => {
    const redis = await startRedis({ dataDir, port, log: silentLogger });
    running.push(redis);
    return redis;
  };

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'shopledger redis-'));
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((redis) => redis.close()));
    await rm(dataDir, { recursive: true, force: true });
  });

  it('keeps what was written over a stop and a start', async () => {
    const first = await start();
    const client = new Redis(first.url);
    await client.set('kept', 'yes');
    client.disconnect();
    await first.close();
    expect(await first.exited).to.deep.equal({ code: 0, signal: null });

    const second = await start();
    const again = new Redis(second.url);
    expect(await again.get('kept')).to.equal('yes');
    again.disconnect();
  });

  it('never evicts, and listens on this machine alone', async () => {
    const redis = await start();
    const client = new Redis(redis.url);
    expect(await client.config('GET', 'maxmemory-policy')).to.deep.equal(['maxmemory-policy', 'noeviction']);
    expect(await client.config('GET', 'bind')).to.deep.equal(['bind', '127.0.0.1']);
    expect(await client.config('GET', 'save')).to.deep.equal(['save', '']);
    client.disconnect();
  });

  it('refuses a port that another Redis holds', async () => {
    const first = await start();
    const refused = await startRedis({ dataDir, port: first.port, log: silentLogger }).catch((err: unknown) => err);
    expect(refused).to.be.instanceOf(RedisError);
    expect((refused as RedisError).code).to.equal('redis-port-in-use');
  });

  it('refuses a port that something else holds', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const refused = await startRedis({ dataDir, port, log: silentLogger }).catch((err: unknown) => err);
    server.close();
    expect((refused as RedisError).code).to.equal('redis-port-in-use');
  });

  it('says what to do when redis-server is not on PATH', () => {
    expect(findRedis('/nonexistent')).to.equal(undefined);
    expect(findRedis()).to.match(/redis-server$/);
    const path = process.env['PATH'];
    process.env['PATH'] = '/nonexistent';
    try {
      expect(() => redisCommand({ port: 1, dataDir }))
        .to.throw(RedisError)
        .with.property('code', 'redis-missing');
    } finally {
      process.env['PATH'] = path;
    }
  });

  it('ends with its parent, even when that is killed', async () => {
    const { port } = await (async () => {
      const probe = await start();
      await probe.close();
      return probe;
    })();
    const { command, args } = redisCommand({ port, dataDir });
    const script = `
      const child = require('node:child_process').spawn(${JSON.stringify(command)}, ${JSON.stringify(args)},
        { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
      console.log(child.pid);`;
    const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const client = new Redis({ port, retryStrategy: () => 25, maxRetriesPerRequest: null });
    client.on('error', () => {});
    expect(await client.ping()).to.equal('PONG');
    const gone = new Promise((resolve) => client.once('close', resolve));
    parent.kill('SIGKILL');
    await gone;
    client.disconnect();
  });
});
