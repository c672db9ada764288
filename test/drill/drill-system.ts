import { createServer } from 'node:net';
import { DataFolder } from '../../cli/data-folder.js';
import { type System, startSystem } from '../../cli/up.js';
import { temporaryFolder } from '../support/stores.js';

export interface DrillSystem {
  readonly system: System;
  readonly data: DataFolder;
  /** Stops everything and starts it again on the same data. */
  restart(): Promise<void>;
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
    const ports = [0, 1, 2, 3, 4, 10, 11, 12, 13].map((offset) => base + offset);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return base;
  }
  throw new Error('no free block of ports was found');
}

/** The whole system, every part a process of its own, on data that are gone afterwards. */
export async function startDrillSystem(env: Record<string, string> = {}): Promise<DrillSystem> {
  const folder = await temporaryFolder();
  const dataPath = `${folder.path}/data`;
  const options = { dataPath, port: await freeBlock(), env };
  let system = await startSystem(options);
  return {
    get system() {
      return system;
    },
    data: new DataFolder(dataPath),
    async restart() {
      await system.stop();
      system = await startSystem(options);
    },
    async close() {
      await system.stop();
      await folder.remove();
    },
  };
}
