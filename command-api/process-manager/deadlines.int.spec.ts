import { expect } from 'chai';
import { Redis } from 'ioredis';
import { type RunningRedis, startRedis } from '../../embedded/redis.js';
import { silentLogger } from '../../runtime/logger.js';
import { eventually } from '../../test/support/eventually.js';
import { temporaryFolder } from '../../test/support/stores.js';
import { type Deadlines, startDeadlines } from './deadlines.js';

describe('deadline timers', function () {
  this.timeout(60_000);
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let redis: RunningRedis | undefined;
  let port = 0;
  let timers: Deadlines | undefined;
  let called: string[];
  let told: string[];

  const startServer = async () => {
    redis = await startRedis({ dataDir: folder.path, port, log: silentLogger });
    port = redis.port;
  };
  const stopServer = async () => {
    await redis?.close();
    redis = undefined;
  };
  const withClient = async (work: (client: Redis) => Promise<unknown>): Promise<void> => {
    const client = new Redis(`redis://127.0.0.1:${port}`);
    await work(client);
    client.disconnect();
  };
  const log = {
    ...silentLogger,
    warn: (text: string) => void told.push(text),
    error: (text: string) => void told.push(text),
  };
  const start = (watchMs?: number) => {
    timers = startDeadlines({
      url: `redis://127.0.0.1:${port}`,
      log,
      due: (orderId) => void called.push(orderId),
      ...(watchMs === undefined ? {} : { watchMs }),
    });
    return timers;
  };
  const up = (of: Deadlines) => eventually('the timers to be up', () => of.isUp(), 20_000);
  const soon = (ms = 50) => new Date(Date.now() + ms);

  beforeEach(async () => {
    folder = await temporaryFolder();
    called = [];
    told = [];
    port = 0;
    await startServer();
  });
  afterEach(async () => {
    await timers?.close();
    timers = undefined;
    await stopServer();
    await folder.remove();
  });

  it('call at their time, also one that is past', async () => {
    const started = start();
    await up(started);
    started.at('018f3c1a-0000-7000-8000-000000000001', soon());
    started.at('018f3c1a-0000-7000-8000-000000000002', soon(-5_000));
    await eventually('both', () => called.length === 2);
    expect(told).to.deep.equal([]);
  });

  it('set twice for the same moment call once', async () => {
    const started = start();
    await up(started);
    const at = soon(300);
    started.at('one', at);
    started.at('one', at);
    started.at('two', soon(600));
    await eventually('the later one', () => called.includes('two'));
    expect(called).to.deep.equal(['one', 'two']);
  });

  it('do nothing while Redis is away at the start, say so once, and work when it comes', async () => {
    await stopServer();
    const started = start();
    await eventually('the warning', () => told.length > 0);
    started.at('lost', soon());
    await startServer();
    await up(started);
    started.at('kept', soon());
    await eventually('the timer', () => called.length > 0);
    expect(called).to.deep.equal(['kept']);
    expect(told.length).to.equal(1);
  });

  it('outlive a restart of Redis, and call what became due meanwhile', async () => {
    const started = start();
    await up(started);
    started.at('set-before', soon(1_500));
    await withClient((client) =>
      eventually('the job to be stored', async () => {
        return (await client.zcard('shopledger:fulfilment-deadlines:delayed')) === 1;
      }),
    );
    await stopServer();
    await eventually('the timers to be down', () => !started.isUp());
    started.at('while-down', soon());
    await startServer();
    await up(started);
    started.at('set-after', soon());
    await eventually('both', () => called.includes('set-before') && called.includes('set-after'), 20_000);
    expect(called).to.not.include('while-down');
  });

  it('close at once though Redis is away', async () => {
    const started = start();
    await up(started);
    await stopServer();
    await started.close();
    await stopServer();
    const never = start();
    await never.close();
  });

  it('complain about a Redis that may throw them away', async () => {
    await withClient((client) => client.config('SET', 'maxmemory-policy', 'allkeys-lru'));
    await up(start());
    await eventually('the complaint', () => told.some((text) => text.includes('noeviction')));
  });
});
