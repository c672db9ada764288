import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Redis } from 'ioredis';
import { type RunningRedis, startRedis } from '../embedded/redis.js';
import { type Logger, silentLogger } from '../runtime/logger.js';
import { eventually } from '../test/support/eventually.js';
import { generousLimits } from '../test/support/generous-limits.js';
import { createRateLimiter } from './rate-limit.js';
import { openLimitRedis } from './rate-limit-redis.js';
import { defaultLimits, type Tier } from './rate-limit-table.js';

const hour = 3_600;
const limited = (...tiers: Tier[]) => ({ ...generousLimits, default: tiers });

describe('a rate limiter on Redis', function () {
  this.timeout(20_000);
  let folder: string;
  let server: RunningRedis;
  const opened: Redis[] = [];
  const said: string[] = [];
  const log: Logger = {
    ...silentLogger,
    warn: (message) => void said.push(`warn ${message}`),
    info: (message) => void said.push(`info ${message}`),
  };

  const connect = async () => {
    const redis = openLimitRedis(server.url, log);
    opened.push(redis);
    await eventually('the connection', () => redis.status === 'ready');
    return redis;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shopledger-limits-'));
    server = await startRedis({ dataDir: folder, port: 0, log: silentLogger });
  });
  after(async () => {
    for (const redis of opened) redis.disconnect();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('lets through what a tier has room for, and says when to come back', async () => {
    const limiter = createRateLimiter({ redis: await connect(), table: limited({ points: 3, seconds: hour }) });
    const taken = [];
    for (let i = 0; i < 5; i += 1) taken.push(await limiter.take('default', 'one'));
    expect(taken.map((one) => [one?.allowed, one?.remaining])).to.deep.equal([
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
      [false, 0],
    ]);
    expect(taken[4]?.resetMs).to.be.within(1, hour * 1_000);
    expect(taken[0]?.policy).to.equal('3;w=3600');
    expect((await limiter.take('default', 'another'))?.allowed).to.equal(true);
  });

  it('counts what all gateways take together', async () => {
    const table = limited({ points: 10, seconds: hour });
    const one = createRateLimiter({ redis: await connect(), table });
    const other = createRateLimiter({ redis: await connect(), table });
    const taken = await Promise.all(
      Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? one : other).take('default', 'shared')),
    );
    expect(taken.filter((one) => one?.allowed === true)).to.have.length(10);
  });

  it('lets every tier of the default limit be the one that refuses', async () => {
    const redis = await connect();
    const limiter = createRateLimiter({ redis, table: defaultLimits });
    for (const [seconds, points] of [
      [1, 27],
      [10, 267],
      [60, 1_000],
    ] as const) {
      const key = `reaches ${seconds}`;
      await redis.set(`rate:default:${seconds}:${key}`, points, 'EX', hour);
      const refused = await limiter.take('default', key);
      expect([refused?.allowed, refused?.points]).to.deep.equal([false, points]);
    }
  });

  it('leaves the longer tiers alone when a shorter one refuses', async () => {
    const redis = await connect();
    const table = limited({ points: 5, seconds: hour }, { points: 100, seconds: 2 * hour });
    const limiter = createRateLimiter({ redis, table });
    const taken = await Promise.all(Array.from({ length: 60 }, () => limiter.take('default', 'burst')));
    expect(taken.filter((one) => one?.allowed === true)).to.have.length(5);
    await eventually('what was refused to be given back', async () => {
      return (await redis.get(`rate:default:${2 * hour}:burst`)) === '5';
    });
  });

  it('does not ask Redis again for a caller it has refused', async () => {
    const redis = await connect();
    const limiter = createRateLimiter({ redis, table: limited({ points: 1, seconds: hour }) });
    for (let i = 0; i < 50; i += 1) await limiter.take('default', 'stubborn');
    expect(await redis.get(`rate:default:${hour}:stubborn`)).to.equal('2');
  });

  it('does not make a caller wait who has plenty of room, and counts it all the same', async () => {
    const redis = await connect();
    const limiter = createRateLimiter({ redis, table: limited({ points: 10, seconds: hour }) });
    const waits = new Promise((resolve) => setImmediate(() => resolve('waits')));
    const first = limiter.take('default', 'roomy');
    expect(await Promise.race([first, waits])).to.equal('waits');
    await first;
    const taken = await Promise.race([
      limiter.take('default', 'roomy'),
      new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined))),
    ]);
    expect(taken).to.deep.include({ allowed: true, remaining: 8 });
    const all = await Promise.all(Array.from({ length: 30 }, () => limiter.take('default', 'roomy')));
    expect(all.filter((one) => one?.allowed === true)).to.have.length(8);
    expect((await limiter.take('default', 'roomy'))?.allowed).to.equal(false);
  });

  it('forgets what is cleared', async () => {
    const limiter = createRateLimiter({ redis: await connect(), table: limited({ points: 1, seconds: hour }) });
    await limiter.take('default', 'cleared');
    expect((await limiter.take('default', 'cleared'))?.allowed).to.equal(false);
    await limiter.clear('default', 'cleared');
    expect((await limiter.take('default', 'cleared'))?.allowed).to.equal(true);
  });

  it('takes everything under a limit without tiers', async () => {
    const limiter = createRateLimiter({ redis: await connect(), table: limited() });
    expect(await limiter.take('default', 'any')).to.equal(undefined);
  });

  it('goes on limiting by itself while Redis is away, says so once, and shares again when it is back', async () => {
    const redis = await connect();
    const limiter = createRateLimiter({ redis, table: limited({ points: 3, seconds: hour }) });
    const take = async () => (await limiter.take('default', 'outage'))?.allowed;
    await take();
    await server.close();
    await eventually('the outage to be noticed', () => redis.status !== 'ready');
    said.length = 0;
    expect([await take(), await take(), await take(), await take()]).to.deep.equal([true, true, true, false]);
    await eventually('an attempt to connect', () => said.length > 0);
    server = await startRedis({ dataDir: folder, port: server.port, log: silentLogger });
    let asked = 0;
    await eventually('Redis to be used again', async () => {
      asked += 1;
      await limiter.take('default', `back ${asked}`);
      return (await redis.get(`rate:default:${hour}:back ${asked}`).catch(() => null)) === '1';
    });
    // Every connection that was open says it once.
    await eventually(
      'the end of the outage to be said',
      () => said.filter((text) => text.startsWith('info')).length === opened.length,
    );
    expect(said.filter((text) => text.startsWith('warn')).length).to.equal(opened.length);
  });

  it('limits from the start where there is no Redis at all', async () => {
    const nowhere = openLimitRedis('redis://127.0.0.1:1', silentLogger);
    const limiter = createRateLimiter({ redis: nowhere, table: limited({ points: 2, seconds: hour }) });
    const taken = [];
    for (let i = 0; i < 3; i += 1) taken.push((await limiter.take('default', 'alone'))?.allowed);
    nowhere.disconnect();
    expect(taken).to.deep.equal([true, true, false]);
  });

  it('does not wait for a Redis that hangs', async () => {
    const redis = await connect();
    const limiter = createRateLimiter({ redis, table: limited({ points: 2, seconds: hour }) });
    const pid = Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
    process.kill(pid, 'SIGSTOP');
    try {
      const taken = await Promise.all(Array.from({ length: 20 }, () => limiter.take('default', 'hangs')));
      expect(taken.filter((one) => one?.allowed === true)).to.have.length(2);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });
});
