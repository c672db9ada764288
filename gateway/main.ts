import { z } from 'zod';
import { loadConfig, logLevel, port, secret } from '../runtime/config.js';
import { listen } from '../runtime/http/listen.js';
import { runService } from '../runtime/lifecycle.js';
import { createLogger } from '../runtime/logger.js';
import { buildGateway } from './app.js';

const schema = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(4000),
  COMMAND_API_URL: z.url().default('http://127.0.0.1:4001'),
  PROCESS_MANAGER_URL: z.url().default('http://127.0.0.1:4002'),
  PROJECTIONS_URL: z.url().default('http://127.0.0.1:4003'),
  READ_API_URL: z.url().default('http://127.0.0.1:4004'),
  INTERNAL_SECRET: secret,
  JWT_ISSUER: z.string().min(1).default('shopledger'),
  JWT_AUDIENCE: z.string().min(1).default('shopledger'),
  LOG_LEVEL: logLevel,
});

const log = createLogger('gateway', logLevel.catch('info').parse(process.env['LOG_LEVEL']));

await runService('gateway', log, async () => {
  const config = loadConfig(schema);
  const upstreams = { 'command-api': config.COMMAND_API_URL, 'read-api': config.READ_API_URL };
  const gateway = buildGateway({
    upstreams,
    healthOf: { ...upstreams, 'process-manager': config.PROCESS_MANAGER_URL, projections: config.PROJECTIONS_URL },
    internalSecret: config.INTERNAL_SECRET,
    issuer: config.JWT_ISSUER,
    audience: config.JWT_AUDIENCE,
    algorithms: ['ES256', 'EdDSA'],
    log,
  });
  const server = await listen(gateway.app, config.PORT, config.HOST);
  return {
    ready: { port: server.port },
    async close() {
      await server.close();
      await gateway.close();
    },
  };
});
