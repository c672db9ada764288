import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { loadConfig, logLevel, port } from '../../runtime/config.js';
import { runService } from '../../runtime/lifecycle.js';
import { createLogger } from '../../runtime/logger.js';
import { startDocumentStore, verifyDataDir } from './document-store.js';
import { StartError } from './errors.js';

const usage =
  'usage: document-store --data DIR [--port 27017] [--host 127.0.0.1] [--expire-every 60 seconds] [--verify]';
const seconds = z.coerce.number().min(0.05).max(86_400);

function parseFlags(argv: string[]) {
  try {
    const { values } = parseArgs({
      args: argv,
      options: {
        port: { type: 'string', default: '27017' },
        host: { type: 'string', default: '127.0.0.1' },
        data: { type: 'string' },
        'expire-every': { type: 'string', default: '60' },
        verify: { type: 'boolean', default: false },
      },
    });
    const parsedPort = port.safeParse(values.port);
    const expireEvery = seconds.safeParse(values['expire-every']);
    if (values.data === undefined || !parsedPort.success || !expireEvery.success) throw new StartError(usage);
    return { ...values, data: values.data, port: parsedPort.data, expireEveryMs: expireEvery.data * 1000 };
  } catch (err) {
    throw new StartError(err instanceof StartError ? err.message : `${(err as Error).message}; ${usage}`);
  }
}

/**
 * Runs the document store as a process: `--port 27017 --data DIR [--host H] [--expire-every SECONDS]`, or checks a data
 * directory with `--verify` (exit 1 when it has faults). A used port or an unusable directory is one sentence on stderr and exit 1.
 */
export async function runDocumentStore(argv: string[]): Promise<void> {
  try {
    const flags = parseFlags(argv);
    const { LOG_LEVEL } = loadConfig(z.object({ LOG_LEVEL: logLevel }));
    const log = createLogger('document-store', LOG_LEVEL);
    if (flags.verify) {
      const { documents, faults } = await verifyDataDir(flags.data, log);
      for (const fault of faults) process.stderr.write(`${fault}\n`);
      process.stdout.write(`${documents} documents, ${faults.length} faults\n`);
      process.exitCode = faults.length === 0 ? 0 : 1;
      return;
    }
    await runService('document-store', log, async () => {
      const { data: dataDir, port: wanted, host, expireEveryMs } = flags;
      const store = await startDocumentStore({ dataDir, port: wanted, host, expireEveryMs, log });
      return {
        ready: { port: store.port, connectionString: store.connectionString },
        close: () => store.close(),
      };
    });
  } catch (err) {
    process.stderr.write(`document-store: ${err instanceof Error ? err.message : String(err)}\n`);
    process.exitCode = 1;
  }
}

const entry = process.argv[1];
if (entry !== undefined && realpathSync(entry) === fileURLToPath(import.meta.url))
  await runDocumentStore(process.argv.slice(2));
