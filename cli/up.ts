import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findRedis } from '../embedded/redis.js';
import {
  type Supervisor,
  type SupervisorEvent,
  type SupervisorLimits,
  startSupervised,
} from '../embedded/supervisor.js';
import { createLogger } from '../runtime/logger.js';
import { DataFolder, type RunningFacts } from './data-folder.js';
import { type DemoShop, ensureDemoShop, planDemoShop } from './demo-shop.js';
import { CommandFault } from './fault.js';
import { factsOf, type Ports, portsFrom, processStages } from './processes.js';

export interface System {
  readonly facts: RunningFacts;
  readonly demo: DemoShop | undefined;
  readonly supervisor: Supervisor;
  stop(): Promise<void>;
}

export interface SystemOptions {
  readonly dataPath: string;
  /** The gateway's port; every other process is at a fixed distance from it. */
  readonly port: number;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: SupervisorEvent) => void;
  /** Added to the environment of every process. */
  readonly env?: Record<string, string>;
  readonly limits?: Partial<SupervisorLimits>;
}

/**
 * Starts the whole system on the embedded defaults, each part a process of its own, watched and restarted.
 *
 * @throws CommandFault, SupervisorError, RedisError: a sentence that says what to do
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const { dataPath, port, signal, onEvent } = options;
  if (!Number.isInteger(port) || port < 1 || port > 65_000)
    throw new CommandFault('--port must be a number from 1 to 65000.');
  if (findRedis() === undefined) {
    throw new CommandFault('redis-server is not on the PATH: install it (Debian: apt-get install redis-server).');
  }
  const data = new DataFolder(dataPath);
  const unlock = data.lock();
  try {
    data.open(() => planDemoShop(data));
    const ports = portsFrom(port);
    const supervisor = await startSupervised(processStages(data, ports, options.env), {
      logDir: data.at('logs'),
      log: createLogger('supervisor', 'silent'),
      ...(signal === undefined ? {} : { signal }),
      ...(onEvent === undefined ? {} : { onEvent }),
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    });
    const facts = factsOf(ports);
    const stop = async () => {
      data.remove('running.json');
      await supervisor.stop();
      unlock();
    };
    try {
      data.write('running.json', JSON.stringify(facts));
      const demo = await ensureDemoShop(data, facts, signal);
      signal?.throwIfAborted();
      return { facts, demo, supervisor, stop };
    } catch (error) {
      await stop();
      throw error;
    }
  } catch (error) {
    unlock();
    throw error;
  }
}

const say = (text: string) => void process.stdout.write(`${text}\n`);

function sayReady(ports: Ports, { facts, demo }: System, data: string, seconds: string): void {
  const rows = Object.entries(ports).map(([name, port]) => `  ${name.padEnd(19)} 127.0.0.1:${port}`);
  const keyFile = join(data, 'keys', 'payment.key');
  say(`\nShopledger is ready after ${seconds} s.\n\n${rows.join('\n')}\n\n  data and logs in    ${data}`);
  say(`\nPayments taken: ${facts.paymentUrl}/  (in a browser; user name: the content of ${keyFile}, no password)`);
  if (demo !== undefined) {
    say(`\nDemo log-ins (password ${demo.password}):\n  ${demo.customer}  customer\n  ${demo.admin}  admin`);
  }
  say(
    `\nTry:\n  curl '${facts.gatewayUrl}/api/v1/products?search=lantern'\n  npm run demo\n\nCtrl-C stops everything.`,
  );
}

function onEvent(event: SupervisorEvent): void {
  switch (event.type) {
    case 'ready':
      say(`  ${event.name} is ready (${event.tookMs} ms)`);
      break;
    case 'died':
    case 'restart-failed':
      say(`  ${event.name} ended (${event.reason}); it is started again in ${event.restartInMs} ms`);
      break;
    case 'killed-at-stop':
      say(`  ${event.name} did not stop in time and was killed`);
      break;
    case 'stopped':
      break;
  }
}

/** `shopledger up [--port 4000] [--data ./data]`: runs everything until Ctrl-C. */
export async function runUp(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string', default: process.env['SHOPLEDGER_PORT'] ?? '4000' },
      data: { type: 'string', default: process.env['SHOPLEDGER_DATA'] ?? './data' },
    },
  });
  const port = Number(values.port);
  const started = performance.now();
  const abort = new AbortController();
  let system: System | undefined;
  let stopping = false;
  const end = (running: System) =>
    running.stop().then(
      () => {
        say('Stopped. Everything is kept; npm start goes on from here.');
        process.exit(0);
      },
      (error: unknown) => {
        process.stderr.write(`stopping failed: ${String(error)}\n`);
        process.exit(1);
      },
    );
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) return;
    stopping = true;
    say(`\n${signal}: stopping`);
    // A start that is under way gives up by itself and stops what it had started.
    abort.abort(new CommandFault('the start was given up.'));
    if (system !== undefined) void end(system);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  say('Starting Shopledger');
  system = await startSystem({ dataPath: values.data, port, signal: abort.signal, onEvent });
  sayReady(portsFrom(port), system, values.data, ((performance.now() - started) / 1000).toFixed(1));
}
