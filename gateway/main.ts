import { z } from 'zod';
import { loadConfig, logLevel, port, secret } from '../runtime/config.js';
import { listen } from '../runtime/http/listen.js';
import { runService } from '../runtime/lifecycle.js';
import { createLogger } from '../runtime/logger.js';
import { buildGateway } from './app.js';
import { createRateLimiter } from './rate-limit.js';
import { openLimitRedis } from './rate-limit-redis.js';
import { limitTable } from './rate-limit-table.js';

const schema = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(4000),
  COMMAND_API_URL: z.url().default('http://127.0.0.1:4001'),
  PROCESS_MANAGER_URL: z.url().default('http://127.0.0.1:4002'),
  PROJECTIONS_URL: z.url().default('http://127.0.0.1:4003'),
  READ_API_URL: z.url().default('http://127.0.0.1:4004'),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).default('redis://127.0.0.1:4012'),
  RATE_LIMITS: limitTable,
  TRUSTED_PROXIES: z.coerce.number().int().min(0).max(10).default(0),
  INTERNAL_SECRET: secret,
  JWT_ISSUER: z.string().min(1).default('shopledger'),
  JWT_AUDIENCE: z.string().min(1).default('shopledger'),
  LOG_LEVEL: logLevel,
});

const log = createLogger('gateway', logLevel.catch('info').parse(process.env['LOG_LEVEL']));

await runService('gateway', log, async () => {
  const config = loadConfig(schema);
  const upstreams = { 'command-api': config.COMMAND_API_URL, 'read-api': config.READ_API_URL };
  const redis = openLimitRedis(config.REDIS_URL, log);
  const gateway = buildGateway({
    upstreams,
    healthOf: { ...upstreams, 'process-manager': config.PROCESS_MANAGER_URL, projections: config.PROJECTIONS_URL },
    internalSecret: config.INTERNAL_SECRET,
    issuer: config.JWT_ISSUER,
    audience: config.JWT_AUDIENCE,
    algorithms: ['ES256', 'EdDSA'],
    limiter: createRateLimiter({ redis, table: config.RATE_LIMITS }),
    trustedProxies: config.TRUSTED_PROXIES,
    log,
  });
  const server = await listen(gateway.app, config.PORT, config.HOST);
  return {
    ready: { port: server.port },
    async close() {
      await server.close();
      await gateway.close();
      redis.disconnect();
    },
  };
});
