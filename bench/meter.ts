import { readFile } from 'node:fs/promises';
import type { CpuCost } from './rows.js';

/** /proc counts CPU time in hundredths of a second, on every Linux. */
const microsPerTick = 10_000;

/** Whether the figures of other processes can be read here. */
export const canMeter = process.platform === 'linux';

/** CPU microseconds that a process has used, user and system, all threads. @throws Error when there is none */
export async function cpuOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The second field is the command in brackets, and may hold blanks; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * microsPerTick;
}

/** Bytes of a process that are in memory. */
export interface ResidentMemory {
  readonly total: number;
  /** what the process owns; the kernel cannot take it back */
  readonly anonymous: number;
  /** pages of mapped files, which are the page cache's and can be taken back at any time */
  readonly file: number;
}

/** @throws Error when there is no such process */
export async function memoryOf(pid: number): Promise<ResidentMemory> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
  return { total: bytes('VmRSS'), anonymous: bytes('RssAnon'), file: bytes('RssFile') };
}

/** What some work took. */
export interface Sample {
  readonly operations: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** microseconds an operation */
  readonly cpu: CpuCost;
}

/**
 * Measures work that this process, the client, does with a server.
 *
 * @param servers the pid of the server's process, or those of all that work for it
 * @param work answers how many operations it did
 */
export async function metered(servers: number | readonly number[], work: () => Promise<number>): Promise<Sample> {
  const pids = [servers].flat();
  const cpuOfServers = async () => (await Promise.all(pids.map(cpuOf))).reduce((sum, micros) => sum + micros, 0);
  const serverBefore = await cpuOfServers();
  const clientBefore = process.cpuUsage();
  const started = performance.now();
  const operations = await work();
  const seconds = (performance.now() - started) / 1000;
  const client = process.cpuUsage(clientBefore);
  const serverMicros = (await cpuOfServers()) - serverBefore;
  return {
    operations,
    seconds,
    perSecond: operations / seconds,
    cpu: { client: (client.user + client.system) / operations, server: serverMicros / operations },
  };
}
