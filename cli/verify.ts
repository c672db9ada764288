import { parseArgs } from 'node:util';
import { openEventLog } from '../runtime/event-store/event-log.js';
import { verifyChain } from '../runtime/event-store/verify-chain.js';
import { silentLogger } from '../runtime/logger.js';
import { DataFolder } from './data-folder.js';
import { openLog } from './open-stores.js';
import { variable } from './settings.js';

/**
 * `shopledger verify [--data ./data | --event-store URL]`: walks the whole log and checks every stream's hash chain. The
 * first break is named, and the exit code is 1. `EVENTSTORE_URL` names the store as the flag does.
 */
export async function runVerify(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      data: { type: 'string', default: variable('SHOPLEDGER_DATA') ?? './data' },
      'event-store': { type: 'string' },
    },
  });
  const opened = await openLog(values['event-store'] ?? variable('EVENTSTORE_URL'), new DataFolder(values.data));
  const eventLog = openEventLog(opened.url, silentLogger);
  const started = performance.now();
  try {
    const progress = (checked: number) => process.stderr.write(`  ${checked} events checked\n`);
    const report = await verifyChain(eventLog.readAll(), progress);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    if (report.firstBreak === undefined) {
      process.stdout.write(`intact: ${report.events} events in ${report.streams} streams, ${seconds} s\n`);
      return;
    }
    const { stream, revision, position, reason, message } = report.firstBreak;
    const at = revision === undefined ? '' : ` revision ${revision}, position ${position}`;
    process.stdout.write(
      `broken: ${stream}${at}: ${reason}: ${message} (${report.events} events before it are intact)\n`,
    );
    process.exitCode = 1;
  } finally {
    await eventLog.close();
    await opened.close();
  }
}
