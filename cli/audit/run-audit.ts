import { parseArgs } from 'node:util';
import { connectDocumentStore } from '../../runtime/document-store/connect.js';
import { LogUnavailable, openEventLog } from '../../runtime/event-store/event-log.js';
import { silentLogger } from '../../runtime/logger.js';
import { DataFolder } from '../data-folder.js';
import { CommandFault } from '../fault.js';
import { openDocuments, openLog, openProvider } from '../open-stores.js';
import { secondsOf, variable } from '../settings.js';
import { audit, defaultGraceMs } from './audit.js';
import { readProviderLedger } from './provider-ledger.js';
import { storedReadModels } from './read-models.js';
import { reportText } from './report-text.js';

/**
 * `shopledger audit [--data ./data] [--grace 900] [--wait 60]`: holds the log, the read models and the provider's ledger
 * against the invariants of the system, while it runs or while it is stopped. Elsewhere than in a data folder:
 * `--event-store URL --mongodb URL [--database NAME] [--provider URL | --no-provider]`, or the variables that the services
 * take. The first violation of each invariant is named, and the exit code is 1.
 */
export async function runAudit(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      data: { type: 'string', default: variable('SHOPLEDGER_DATA') ?? './data' },
      'event-store': { type: 'string' },
      mongodb: { type: 'string' },
      database: { type: 'string', default: variable('MONGODB_DATABASE') ?? 'shopledger' },
      provider: { type: 'string' },
      'no-provider': { type: 'boolean', default: false },
      grace: { type: 'string', default: String(defaultGraceMs / 1000) },
      wait: { type: 'string', default: '60' },
    },
  });
  const graceMs = secondsOf(values.grace, '--grace');
  const waitMs = secondsOf(values.wait, '--wait');
  const data = new DataFolder(values.data);
  const closing: (() => Promise<void>)[] = [];
  const opened = async <T extends { close(): Promise<void> }>(opening: T | Promise<T>): Promise<T> => {
    const one = await opening;
    closing.unshift(() => one.close());
    return one;
  };
  const started = performance.now();
  try {
    const { url: logUrl } = await opened(openLog(values['event-store'] ?? variable('EVENTSTORE_URL'), data));
    const { url, isRunning } = await opened(openDocuments(values.mongodb ?? variable('MONGODB_URL'), data));
    const asked = values.provider ?? variable('PAYMENT_URL');
    const provider = values['no-provider'] ? undefined : await opened(openProvider(asked, data));
    const eventLog = await opened(openEventLog(logUrl, silentLogger));
    const store = await opened(connectDocumentStore({ url, database: values.database, appName: 'audit' }));
    const key = () => variable('PAYMENT_SECRET_KEY') ?? data.secrets().paymentKey;
    const readLedger = provider === undefined ? undefined : () => readProviderLedger(provider.url, key());
    const report = await audit(eventLog, storedReadModels(store.db), readLedger, {
      graceMs,
      waitMs: isRunning ? waitMs : 0,
      onProgress: (what) => process.stderr.write(`  ${what}\n`),
    });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const verdict = report.clean ? 'clean' : 'NOT CLEAN';
    process.stdout.write(
      `${reportText(report)}\n${verdict}: ${report.events} events up to position ${report.head}, ${seconds} s\n`,
    );
    if (!report.clean) process.exitCode = 1;
  } catch (error) {
    if (!(error instanceof LogUnavailable)) throw error;
    throw new CommandFault('the log does not answer, or cannot be read: npx shopledger verify names the place.');
  } finally {
    for (const close of closing) await close();
  }
}
