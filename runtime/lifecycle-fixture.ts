import { createServer } from 'node:http';
import { runService } from './lifecycle.js';
import { createLogger } from './logger.js';

/** A service for the spec of the lifecycle: it does what its first argument says. */
const behaviour = process.argv[2];
const forever = () => new Promise<never>(() => {});

await runService('sample', createLogger('sample'), async () => {
  if (behaviour === 'fails') throw new Error('The port is in use already.');
  if (behaviour === 'fails-oddly') throw 'nothing to listen on';
  if (behaviour === 'starts-slowly') {
    process.stdout.write('starting\n');
    setInterval(() => {}, 1_000);
    return forever();
  }
  const server = createServer((_, response) => response.end('ok'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  if (behaviour === 'rejects') setImmediate(() => void Promise.reject(new Error('nobody cares')));
  if (behaviour === 'throws') {
    setImmediate(() => {
      throw new Error('nobody cares');
    });
  }
  return {
    ready: { port: 7, behaviour },
    async close() {
      process.stdout.write('closing\n');
      if (behaviour === 'closes-badly') throw new Error('it would not close');
      if (behaviour === 'never-closes') return forever();
      await new Promise((resolve) => server.close(resolve));
      process.stdout.write('closed\n');
    },
  };
});
