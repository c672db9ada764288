import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { z } from 'zod';
import { loadConfig, logLevel, port } from '../../runtime/config.js';
import { runService } from '../../runtime/lifecycle.js';
import { createLogger } from '../../runtime/logger.js';
import { openDiskRoom } from '../disk-room.js';
import { isLoopback, readFlags } from '../flags.js';
import { dataFile, hasData, openStorage } from './data-directory.js';
import { scavenge } from './scavenge.js';
import { type EventStoreOptions, parseEndpoint, startEventStore } from './server.js';
import { verifyDataDir } from './verify.js';

const usage = `event-store --data DIR [--port 2113] [--host 127.0.0.1] [--advertise HOST:PORT] [--max-append-size BYTES] \
[--disk-reserve BYTES] [--password P] [--tls-cert FILE --tls-key FILE] [--metrics-port N] | --data DIR --verify | --data DIR --scavenge`;

const flags = z.strictObject({
  data: z.string().min(1),
  port: port.default(2113),
  host: z.string().min(1).default('127.0.0.1'),
  advertise: z.string().optional(),
  'max-append-size': z.coerce
    .number()
    .int()
    .min(1024)
    .max(16 * 1024 * 1024)
    .optional(),
  'disk-reserve': z.coerce.number().int().min(0).optional(),
  password: z.string().min(1).optional(),
  'metrics-port': port.optional(),
  'tls-cert': z.string().optional(),
  'tls-key': z.string().optional(),
  verify: z.boolean().default(false),
  scavenge: z.boolean().default(false),
});

/** The password's own place: arguments can be seen by every user of the machine. */
const environment = z.object({ LOG_LEVEL: logLevel, EVENT_STORE_PASSWORD: z.string().optional() });

type Flags = z.output<typeof flags>;

/**
 * The event store as a process: serves until SIGTERM; checks a closed data directory with `--verify`, or takes out of it
 * what nobody may read any more with `--scavenge`.
 * What cannot be done is one sentence on stderr and exit code 1.
 *
 * @param argv the arguments after the command's own name
 */
export async function runEventStore(argv: string[]): Promise<void> {
  let options: Flags;
  try {
    options = readOptions(argv);
  } catch (err) {
    fail(`${err instanceof Error ? err.message : String(err)} Usage: ${usage}`);
    return;
  }
  if (options.verify) await report(() => verify(options.data));
  else if (options.scavenge) await report(() => scavengeDataDir(options.data, options['disk-reserve'] ?? 0));
  else await serve(options);
}

async function serve(options: Flags): Promise<void> {
  const { LOG_LEVEL, EVENT_STORE_PASSWORD } = loadConfig(environment);
  const log = createLogger('event-store', LOG_LEVEL);
  // gRPC would print its own lines beside the one sentence of a failed start.
  setLogVerbosity(logVerbosity.NONE);
  const password = options.password ?? EVENT_STORE_PASSWORD;
  if (password === undefined && !isLoopback(options.host)) {
    log.warn('everybody who reaches this address may read and write: set a password', { host: options.host });
  }
  await runService('event-store', log, async () => {
    const store = await startEventStore({
      dataDir: options.data,
      port: options.port,
      host: options.host,
      advertise: options.advertise,
      maxAppendSize: options['max-append-size'],
      diskReserve: options['disk-reserve'],
      password,
      tls: readTls(options),
      metricsPort: options['metrics-port'],
      log,
    });
    const { port: bound, connectionString, metricsPort } = store;
    // A port that is undefined is left out of the line.
    return { close: () => store.close(), ready: { port: bound, connectionString, metricsPort } };
  });
}

function readTls({ 'tls-cert': cert, 'tls-key': key }: Flags): EventStoreOptions['tls'] {
  return cert === undefined || key === undefined ? undefined : { cert: readFileSync(cert), key: readFileSync(key) };
}

/** @returns the line to print @throws Error whose message says what is wrong */
async function verify(dataDir: string): Promise<string> {
  const found = await verifyDataDir(dataDir, (checked) => process.stderr.write(`  ${checked} events checked\n`));
  if (!found.intact) throw new Error(found.message);
  return `intact: ${found.events} events in ${found.streams} streams`;
}

async function scavengeDataDir(dataDir: string, diskReserve: number): Promise<string> {
  if (!hasData(dataDir)) throw new Error(`${dataDir} holds no event store data.`);
  const storage = await openStorage(dataDir);
  const room = openDiskRoom(storage, join(dataDir, dataFile), diskReserve);
  try {
    const log = createLogger('event-store', loadConfig(environment).LOG_LEVEL);
    const { events, streams, complete } = await scavenge({ storage, room, log, now: Date.now });
    const left = complete ? '' : '; damaged streams were left as they are, see --verify';
    return `removed: ${events} events of ${streams} streams; their room is used again by later appends${left}`;
  } finally {
    await room.close();
    await storage.close();
  }
}

async function report(work: () => Promise<string>): Promise<void> {
  try {
    process.stdout.write(`${await work()}\n`);
  } catch (err) {
    fail(err instanceof Error ? err.message : String(err));
  }
}

function readOptions(argv: string[]): Flags {
  const read = readFlags(flags, ['verify', 'scavenge'], argv);
  if ((read['tls-cert'] === undefined) !== (read['tls-key'] === undefined)) {
    throw new Error('--tls-cert and --tls-key go together.');
  }
  if (read.advertise !== undefined) parseEndpoint(read.advertise);
  return read;
}

function fail(sentence: string): void {
  process.stderr.write(`event-store: ${sentence}\n`);
  process.exitCode = 1;
}

const entry = process.argv[1];
if (entry !== undefined && import.meta.url === pathToFileURL(entry).href) await runEventStore(process.argv.slice(2));
