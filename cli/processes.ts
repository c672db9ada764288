import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { redisCommand } from '../embedded/redis.js';
import type { ProcessSpec } from '../embedded/supervisor.js';
import type { DataFolder, RunningFacts } from './data-folder.js';

/** Offsets from the gateway's port: one block of ports that is easy to move and collides with no real server. */
const offsets = {
  'command-api': 1,
  'process-manager': 2,
  projections: 3,
  'read-api': 4,
  'event-store': 10,
  'document-store': 11,
  redis: 12,
  'payment-provider': 13,
  'event-store-metrics': 20,
  'document-store-metrics': 21,
} as const;

export type Ports = Readonly<Record<'gateway' | keyof typeof offsets, number>>;

export function portsFrom(base: number): Ports {
  const rest = Object.entries(offsets).map(([name, offset]) => [name, base + offset]);
  return { gateway: base, ...Object.fromEntries(rest) } as Ports;
}

export function factsOf(ports: Ports): RunningFacts {
  return {
    gatewayUrl: `http://127.0.0.1:${ports.gateway}`,
    eventStoreUrl: `esdb://127.0.0.1:${ports['event-store']}?tls=false`,
    documentStoreUrl: `mongodb://127.0.0.1:${ports['document-store']}`,
    paymentUrl: `http://127.0.0.1:${ports['payment-provider']}`,
  };
}

const compiled = (file: string) => fileURLToPath(new URL(`../${file}`, import.meta.url));

/**
 * Every process of the system on the embedded defaults, in the order in which they start. The services get nothing that
 * says "embedded": connection strings and secrets, as in production.
 */
export function processStages(data: DataFolder, ports: Ports, extraEnv: Record<string, string> = {}): ProcessSpec[][] {
  const secrets = data.secrets();
  const { eventStoreUrl, documentStoreUrl, paymentUrl } = factsOf(ports);
  mkdirSync(data.at('logs'), { recursive: true, mode: 0o700 });
  const url = (name: keyof Ports) => `http://127.0.0.1:${ports[name]}`;
  const folder = (name: string) => {
    mkdirSync(data.at(name), { recursive: true, mode: 0o700 });
    return data.at(name);
  };
  const node = (name: keyof Ports, file: string, args: string[], env: Record<string, string>): ProcessSpec => ({
    name,
    command: process.execPath,
    args: ['--enable-source-maps', compiled(file), ...args],
    env: { ...env, ...extraEnv },
    ready: 'line',
  });
  const server = (
    name: keyof Ports,
    file: string,
    dataName: string,
    env: Record<string, string> = {},
    args: string[] = [],
  ) => node(name, file, ['--port', String(ports[name]), '--data', folder(dataName), ...args], env);
  const service = (name: keyof Ports, file: string, env: Record<string, string>) =>
    node(name, file, [], { HOST: '127.0.0.1', PORT: String(ports[name]), ...env });

  const documents = { MONGODB_URL: documentStoreUrl, MONGODB_DATABASE: 'shopledger' };
  const log = { EVENTSTORE_URL: eventStoreUrl };
  const redis = { REDIS_URL: `redis://127.0.0.1:${ports.redis}` };
  const webhook = {
    PAYMENT_WEBHOOK_URL: `${url('command-api')}/payments/webhooks/stripe`,
    PAYMENT_WEBHOOK_SECRET: secrets.webhook,
  };
  return [
    [
      server('event-store', 'embedded/event-store-server/main.js', 'event-store', {}, [
        '--metrics-port',
        String(ports['event-store-metrics']),
      ]),
      server('document-store', 'embedded/document-store-server/main.js', 'documents', {}, [
        '--metrics-port',
        String(ports['document-store-metrics']),
      ]),
      {
        name: 'redis',
        ...redisCommand({ port: ports.redis, dataDir: folder('redis') }),
        ready: { port: ports.redis },
      },
      server('payment-provider', 'embedded/payment-provider/main.js', 'payments', {
        PAYMENT_SECRET_KEY: secrets.paymentKey,
        ...webhook,
      }),
    ],
    [
      service('command-api', 'command-api/main.js', {
        ...log,
        ...documents,
        INTERNAL_SECRET: secrets.internal,
        HMAC_SECRET: secrets.hmac,
        MASTER_KEY: secrets.master,
        JWT_PRIVATE_KEY_FILE: secrets.jwtKeyFile,
        PAYMENT_WEBHOOK_SECRET: secrets.webhook,
      }),
      service('process-manager', 'command-api/process-manager/main.js', {
        ...log,
        ...redis,
        PAYMENT_SECRET_KEY: secrets.paymentKey,
        PAYMENT_URL: paymentUrl,
      }),
      service('projections', 'projections/main.js', { ...log, ...documents }),
      service('read-api', 'read-api/main.js', {
        ...documents,
        INTERNAL_SECRET: secrets.internal,
        MASTER_KEY: secrets.master,
      }),
    ],
    [
      service('gateway', 'gateway/main.js', {
        COMMAND_API_URL: url('command-api'),
        PROCESS_MANAGER_URL: url('process-manager'),
        PROJECTIONS_URL: url('projections'),
        READ_API_URL: url('read-api'),
        ...redis,
        INTERNAL_SECRET: secrets.internal,
      }),
    ],
  ];
}
