import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { loadConfig, logLevel, port } from '../../runtime/config.js';
import { runService } from '../../runtime/lifecycle.js';
import { createLogger } from '../../runtime/logger.js';
import { isLoopback, readFlags } from '../flags.js';
import { startDocumentStore, verifyDataDir } from './document-store.js';

const usage =
  'document-store --data DIR [--port 27017] [--host 127.0.0.1] [--disk-reserve BYTES] [--metrics-port N] [--expire-every SECONDS] | --data DIR --verify';

const flags = z.strictObject({
  data: z.string().min(1),
  port: port.default(27_017),
  host: z.string().min(1).default('127.0.0.1'),
  'disk-reserve': z.coerce.number().int().min(0).optional(),
  'metrics-port': port.optional(),
  'expire-every': z.coerce.number().min(0.05).max(86_400).default(60),
  verify: z.boolean().default(false),
});

type Flags = z.output<typeof flags>;

/**
 * The document store as a process: serves until SIGTERM, or checks a closed data directory with `--verify`. What cannot be
 * done is one sentence on stderr and exit code 1.
 *
 * @param argv the arguments after the command's own name
 */
export async function runDocumentStore(argv: string[]): Promise<void> {
  let options: Flags;
  try {
    options = readFlags(flags, ['verify'], argv);
  } catch (err) {
    fail(`${err instanceof Error ? err.message : String(err)} Usage: ${usage}`);
    return;
  }
  try {
    const { LOG_LEVEL } = loadConfig(z.object({ LOG_LEVEL: logLevel }));
    const log = createLogger('document-store', LOG_LEVEL);
    if (options.verify) {
      await verify(options.data, log);
      return;
    }
    if (!isLoopback(options.host)) {
      log.warn('everybody who reaches this address may read and write', { host: options.host });
    }
    await runService('document-store', log, async () => {
      const store = await startDocumentStore({
        dataDir: options.data,
        port: options.port,
        host: options.host,
        expireEveryMs: options['expire-every'] * 1000,
        log,
        ...(options['disk-reserve'] === undefined ? {} : { diskReserve: options['disk-reserve'] }),
        ...(options['metrics-port'] === undefined ? {} : { metricsPort: options['metrics-port'] }),
      });
      const { port: bound, connectionString, metricsPort } = store;
      // a port that is undefined is left out of the line
      return { close: () => store.close(), ready: { port: bound, connectionString, metricsPort } };
    });
  } catch (err) {
    fail(err instanceof Error ? err.message : String(err));
  }
}

async function verify(dataDir: string, log: ReturnType<typeof createLogger>): Promise<void> {
  const progress = (checked: number) => process.stderr.write(`  ${checked} documents checked\n`);
  const { documents, faults } = await verifyDataDir(dataDir, log, progress);
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  process.stdout.write(`${documents} documents, ${faults.length} faults\n`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}

function fail(sentence: string): void {
  process.stderr.write(`document-store: ${sentence.replaceAll('\n', ' ')}\n`);
  process.exitCode = 1;
}

const entry = process.argv[1];
if (entry !== undefined && realpathSync(entry) === fileURLToPath(import.meta.url))
  await runDocumentStore(process.argv.slice(2));
