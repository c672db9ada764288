import { parseArgs } from 'node:util';
import { DataFolder, type RunningFacts } from '../data-folder.js';
import { CommandFault } from '../fault.js';
import { compareSales, tableOf, takenOf } from './comparison.js';
import { importOrders } from './import-orders.js';
import { ensureImporter, keepToken } from './importer-log-in.js';
import { headOf, newEvents, newEventsInWords } from './new-events.js';
import { Patience } from './patience.js';
import { PatientClient, type PatientOptions } from './patient-client.js';
import { planImport } from './plan.js';
import { inWords, type Output, Progress } from './progress.js';
import { salesInStore } from './sales-in-store.js';
import { countStraight } from './straight-count.js';

export interface ImportOptions extends Pick<PatientOptions, 'gatewayUrl' | 'email' | 'password' | 'token' | 'onToken'> {
  readonly path: string;
  /** How many invoices, by first appearance in the file; all where it is undefined. */
  readonly invoices?: number | undefined;
  /** Requests under way at once. */
  readonly concurrency: number;
  readonly out: Output;
  /** The log, where it is on this machine: then the new events are counted. */
  readonly eventStoreUrl?: string | undefined;
  /** Whatever is waited for is told to `progress`. */
  readonly progress: Progress;
  readonly patience: Patience;
}

/**
 * Imports a file of the Online Retail data set through the gateway, and compares the sales that the read model shows
 * with those counted straight from the file. A repeat goes on where an earlier run ended.
 *
 * @returns whether both sides are equal to the penny
 * @throws CommandFault
 */
export async function importOnlineRetail(options: ImportOptions): Promise<boolean> {
  const { path, invoices, concurrency, out, eventStoreUrl: log, progress, patience } = options;
  const say = (text = '') => out.write(`${text}\n`);
  const started = performance.now();
  const client = new PatientClient(options);

  const plan = await planImport(path, invoices);
  const head = log === undefined ? undefined : await patience.untilDone('reading the log', () => headOf(log));
  const imported = await importOrders(plan, client, progress, concurrency);
  const { sales, others, lost } = await salesInStore(client, plan.orders, imported, progress, concurrency);
  const seconds = (performance.now() - started) / 1000;
  say(`\nImported in ${inWords(seconds)}: what was taken of ${path}\n\n${takenOf(plan)}\n`);
  if (others > 0) say(`The shop holds ${others} other imported orders of these days; these are this file's.\n`);
  for (const order of lost.slice(0, 20)) say(`  ${order}`);
  if (lost.length > 0) say(`${lost.length} orders did not end confirmed.\n`);

  const rows = compareSales(sales, countStraight(path, invoices));
  say(`${tableOf(rows)}\n`);
  if (log !== undefined && head !== undefined) {
    say(newEventsInWords(await patience.untilDone('reading the log', () => newEvents(log, head))));
  }
  const differing = rows.filter(({ equal }) => !equal).length;
  say(differing === 0 ? 'Shop and file are equal to the penny.' : `Shop and file differ in ${differing} rows.`);
  return differing === 0;
}

const usage =
  'shopledger import online-retail FILE [--invoices N] [--concurrency C] [--data ./data | --gateway URL --email E --password P]';

function wholeNumber(name: string, text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= most) return number;
  throw new CommandFault(`--${name} must be a number from 1 to ${most}.`);
}

/** {@link usage}: through the gateway of the system on this machine, or of another one with a log-in of its own. */
export async function runImport(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      invoices: { type: 'string' },
      concurrency: { type: 'string', default: '32' },
      data: { type: 'string', default: process.env['SHOPLEDGER_DATA'] ?? './data' },
      gateway: { type: 'string' },
      email: { type: 'string' },
      password: { type: 'string' },
    },
  });
  const [source, path, ...more] = positionals;
  if (source !== 'online-retail' || path === undefined || more.length > 0) throw new CommandFault(usage);
  const { write } = process.stdout;
  const out: Output = { write: write.bind(process.stdout), isTTY: process.stdout.isTTY === true };
  const progress = new Progress(out);
  const patience = new Patience({ onWait: (what) => progress.waitFor(what) });
  const shared = {
    path,
    invoices: wholeNumber('invoices', values.invoices, 10_000_000),
    concurrency: wholeNumber('concurrency', values.concurrency, 512) ?? 1,
    out,
    progress,
    patience,
  };
  const { gateway, email, password } = values;
  if (gateway !== undefined) {
    if (email === undefined || password === undefined) {
      throw new CommandFault('with --gateway say --email and --password of a user with the role importer.');
    }
    if (!(await importOnlineRetail({ ...shared, gatewayUrl: gateway, email, password }))) process.exitCode = 1;
    return;
  }
  const data = new DataFolder(values.data);
  const facts = data.readJson<RunningFacts>('running.json');
  if (facts === undefined) throw new CommandFault('the system is not running here: start it with npm start.');
  const logIn = await ensureImporter(data, facts, patience);
  const equal = await importOnlineRetail({
    ...shared,
    ...logIn,
    ...facts,
    onToken: (token) => keepToken(data, logIn, token),
  });
  if (!equal) process.exitCode = 1;
}
