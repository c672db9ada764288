import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { z } from 'zod';
import type { Logger } from '../../runtime/logger.js';

export interface Deadlines {
  /** Has `due` called at that time; without Redis nothing is called, and the sweep finds the order. */
  at(orderId: string, time: Date): void;
  isUp(): boolean;
  close(): Promise<void>;
}

export interface DeadlineOptions {
  /** `redis://host:port` */
  readonly url: string;
  readonly log: Logger;
  /** Called at or after the time; perhaps late, twice, or for an order that has ended long ago. */
  due(orderId: string): void;
  readonly queue?: string;
  /** How often a worker that has fallen silent is looked for. Milliseconds. */
  readonly watchMs?: number;
}

const job = z.strictObject({ order_id: z.string(), at: z.string() });

const longestPauseMs = 5_000;
const closeLimitMs = 1_000;
const overdueMs = 10_000;

interface Workshop {
  readonly queue: Queue;
  readonly worker: Worker;
  close(): Promise<void>;
}

/**
 * Timers in Redis, as delayed jobs of BullMQ. Queue and worker live as long as a connection does: when Redis comes back,
 * or a worker has fallen silent, new ones are made. Nothing here is waited for, and nothing of it fails for others.
 */
export function startDeadlines(options: DeadlineOptions): Deadlines {
  const { url, log, due, queue: name = 'fulfilment-deadlines', watchMs = 15_000 } = options;
  const common = { maxRetriesPerRequest: null, enableOfflineQueue: false };
  const redis = new Redis(url, {
    ...common,
    retryStrategy: (times) => Math.min(longestPauseMs, 100 * 2 ** Math.min(times, 10)),
  });
  let workshop: Workshop | undefined;
  let isDown: boolean | undefined;
  let closing = false;

  const open = (): Workshop => {
    // They end with their connection, and are made anew with the next one.
    const connection = redis.duplicate({ ...common, enableOfflineQueue: true, retryStrategy: () => null });
    connection.on('error', () => {});
    const queue = new Queue(name, { connection, prefix: 'shopledger' });
    const work = async ({ data }: { data: unknown }) => {
      const parsed = job.safeParse(data);
      if (parsed.success) due(parsed.data.order_id);
    };
    const worker = new Worker(name, work, { connection, prefix: 'shopledger', concurrency: 16 });
    queue.on('error', () => {});
    worker.on('error', (err) => log.debug('deadline timers', { err }));
    return {
      queue,
      worker,
      async close() {
        const limit = new Promise<void>((resolve) => setTimeout(resolve, closeLimitMs).unref());
        await Promise.race([Promise.allSettled([worker.close(true), queue.close()]), limit]);
        connection.disconnect();
      },
    };
  };

  const leave = (): Promise<void> => {
    const left = workshop;
    workshop = undefined;
    return left?.close() ?? Promise.resolve();
  };

  const checkPolicy = async (): Promise<void> => {
    const [, policy] = (await redis.config('GET', 'maxmemory-policy')) as string[];
    if (policy !== 'noeviction') {
      log.error('Redis may throw timers away: set its maxmemory-policy to noeviction', { policy });
    }
  };

  redis.on('error', () => {});
  redis.on('ready', () => {
    if (closing) return;
    if (isDown === true) log.info('deadline timers are back');
    isDown = false;
    checkPolicy().catch((err: unknown) => log.debug('maxmemory-policy is not known', { err }));
    void leave();
    workshop = open();
  });
  redis.on('close', () => {
    void leave();
    if (closing || isDown === true) return;
    isDown = true;
    log.warn('Redis does not answer: deadlines are kept by the sweep alone');
  });

  /** A worker that takes nothing though something is due has died of a connection. */
  const watch = async (): Promise<void> => {
    if (workshop === undefined) return;
    const [oldest] = await workshop.queue.getJobs(['delayed', 'waiting'], 0, 0, true);
    const isSilent = oldest !== undefined && Date.now() - (oldest.timestamp + oldest.delay) > overdueMs;
    if (!isSilent && workshop.worker.isRunning()) return;
    log.warn('the worker of deadline timers has fallen silent, and is made anew');
    await leave();
    if (!closing && redis.status === 'ready') workshop = open();
  };
  const watching = setInterval(() => {
    watch().catch((err: unknown) => log.debug('deadline timers', { err }));
  }, watchMs);

  return {
    at(orderId, time) {
      const at = time.toISOString();
      const delay = Math.max(0, time.getTime() - Date.now());
      const kept = { removeOnComplete: true, removeOnFail: true };
      workshop?.queue
        .add('deadline', { order_id: orderId, at }, { jobId: `${orderId}-${time.getTime()}`, delay, ...kept })
        .catch((err: unknown) => log.debug('a deadline is left to the sweep', { orderId, err }));
    },
    isUp: () => workshop !== undefined,
    async close() {
      closing = true;
      clearInterval(watching);
      await leave();
      redis.disconnect();
    },
  };
}
