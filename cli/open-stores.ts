import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { startDocumentStore } from '../embedded/document-store-server/document-store.js';
import { startEventStore } from '../embedded/event-store-server/server.js';
import { startPaymentProvider } from '../embedded/payment-provider/start-payment-provider.js';
import { silentLogger } from '../runtime/logger.js';
import type { DataFolder, RunningFacts } from './data-folder.js';
import { CommandFault } from './fault.js';

/** A server to look into: one that runs, or the data folder's own, opened for the time being. */
export interface Opened {
  readonly url: string;
  /** Whether it runs by itself. */
  readonly isRunning: boolean;
  close(): Promise<void>;
}

function accepts(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function open(
  url: string | undefined,
  data: DataFolder,
  fact: keyof RunningFacts,
  folder: string,
  start: (dataDir: string) => Promise<Opened>,
): Promise<Opened> {
  if (url !== undefined) return { url, isRunning: true, close: async () => {} };
  const running = data.readJson<Partial<RunningFacts>>('running.json')?.[fact];
  if (running !== undefined && (await accepts(running)))
    return { url: running, isRunning: true, close: async () => {} };
  const dataDir = data.at(folder);
  if (!existsSync(dataDir)) {
    throw new CommandFault(`${data.path} holds no ${folder}: name another folder with --data.`);
  }
  return start(dataDir);
}

/** The event log. @param url where it is known already @throws CommandFault where there is none */
export function openLog(url: string | undefined, data: DataFolder): Promise<Opened> {
  return open(url, data, 'eventStoreUrl', 'event-store', async (dataDir) => {
    const server = await startEventStore({ dataDir, port: 0, log: silentLogger });
    return { url: server.connectionString, isRunning: false, close: () => server.close() };
  });
}

/** The document store. @param url where it is known already @throws CommandFault where there is none */
export function openDocuments(url: string | undefined, data: DataFolder): Promise<Opened> {
  return open(url, data, 'documentStoreUrl', 'documents', async (dataDir) => {
    const server = await startDocumentStore({ dataDir, port: 0, log: silentLogger });
    return { url: server.connectionString, isRunning: false, close: () => server.close() };
  });
}

/**
 * The sandbox payment provider; it sends no webhooks where it is opened for the time being.
 *
 * @param url where it is known already
 * @throws CommandFault where there is none
 */
export function openProvider(url: string | undefined, data: DataFolder): Promise<Opened> {
  return open(url, data, 'paymentUrl', 'payments', async (dataDir) => {
    const { paymentKey: secretKey } = data.secrets();
    const provider = await startPaymentProvider({ dataDir, port: 0, secretKey, log: silentLogger });
    return { url: provider.url, isRunning: false, close: () => provider.close() };
  });
}
