import { createServer } from 'node:net';
import { type AuditOptions, type AuditReport, audit } from '../../cli/audit/audit.js';
import { readProviderLedger } from '../../cli/audit/provider-ledger.js';
import { storedReadModels } from '../../cli/audit/read-models.js';
import { DataFolder } from '../../cli/data-folder.js';
import { type System, type SystemOptions, startSystem } from '../../cli/up.js';
import { connectDocumentStore } from '../../runtime/document-store/connect.js';
import { openEventLog } from '../../runtime/event-store/event-log.js';
import { silentLogger } from '../../runtime/logger.js';
import { temporaryFolder } from '../support/stores.js';

export interface DrillSystem {
  readonly system: System;
  readonly data: DataFolder;
  /** Stops everything and starts it again on the same data, `between` in between. */
  restart(between?: () => Promise<void>): Promise<void>;
  /** Holds everything against the invariants, with no grace for what is under way unless told otherwise. */
  audit(options?: AuditOptions): Promise<AuditReport>;
  close(): Promise<void>;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/** The first port of a block in which every port that the system takes is free. */
export async function freeBlock(): Promise<number> {
  for (let base = 20_000 + (process.pid % 400) * 50; base < 60_000; base += 50) {
    const ports = [0, 1, 2, 3, 4, 10, 11, 12, 13, 20, 21].map((offset) => base + offset);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return base;
  }
  throw new Error('no free block of ports was found');
}

/** The whole system, every part a process of its own, on data that are gone afterwards. */
export async function startDrillSystem(
  env: Record<string, string> = {},
  watching: Pick<SystemOptions, 'onEvent' | 'limits'> = {},
): Promise<DrillSystem> {
  const folder = await temporaryFolder();
  const dataPath = `${folder.path}/data`;
  const options = { dataPath, port: await freeBlock(), env, ...watching };
  let system = await startSystem(options);
  return {
    get system() {
      return system;
    },
    data: new DataFolder(dataPath),
    async restart(between = async () => {}) {
      await system.stop();
      await between();
      system = await startSystem(options);
    },
    async audit(given) {
      const { eventStoreUrl, documentStoreUrl: url, paymentUrl } = system.facts;
      const eventLog = openEventLog(eventStoreUrl, silentLogger);
      const store = await connectDocumentStore({ url, database: 'shopledger', appName: 'drill' });
      try {
        const readLedger = () => readProviderLedger(paymentUrl, new DataFolder(dataPath).secrets().paymentKey);
        return await audit(eventLog, storedReadModels(store.db), readLedger, { graceMs: 0, ...given });
      } finally {
        await store.close();
        await eventLog.close();
      }
    },
    async close() {
      await system.stop();
      await folder.remove();
    },
  };
}
