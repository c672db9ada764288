import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { complaintsOf } from '../../../cli/audit/report-text.js';
import { countStraight } from '../../../cli/import/straight-count.js';
import type { SupervisorEvent } from '../../../embedded/supervisor.js';
import { openEventLog } from '../../../runtime/event-store/event-log.js';
import { verifyChain } from '../../../runtime/event-store/verify-chain.js';
import { silentLogger } from '../../../runtime/logger.js';
import { eventually } from '../../support/eventually.js';
import { seeded } from '../../support/seeded.js';
import { temporaryFolder } from '../../support/stores.js';
import { type DrillSystem, startDrillSystem } from '../drill-system.js';
import { startImporter } from './importer.js';
import { killAll, killOrder, type Victim } from './kills.js';
import { madeUpInvoices } from './made-up-invoices.js';

const processes = [
  'gateway',
  'command-api',
  'process-manager',
  'projections',
  'read-api',
  'event-store',
  'document-store',
  'redis',
  'payment-provider',
] as const;

export interface KillImport {
  readonly seed: string;
  /** The file to import; a made-up one where it is undefined. */
  readonly file?: string | undefined;
  /** How many at least. */
  readonly invoices: number;
  /** In how many imports, each of more than the one before; there are more of them for as long as kills are left. */
  readonly rounds: number;
  /** How often each process is killed. */
  readonly kills: number;
  /** Milliseconds between one kill and the next, at most. */
  readonly longestPauseMs: number;
  readonly say: (text: string) => void;
}

/** What came of it: every sentence is a fault. */
export interface KillImportOutcome {
  readonly faults: readonly string[];
  /** By process; `at charge-answered` are the kills between the provider's answer and the append. */
  readonly kills: Readonly<Record<string, number>>;
  readonly orders: number;
  readonly events: number;
}

const mostRounds = 18;
const answered = 'process-manager at charge-answered';

/** Imports while every process is killed again and again, and compares what came of it with the file. */
export async function killImport(options: KillImport): Promise<KillImportOutcome> {
  const { seed, file, invoices, rounds: leastRounds, kills, longestPauseMs, say } = options;
  const random = seeded('kill-import', seed);
  const folder = await temporaryFolder();
  const path = file ?? `${folder.path}/invoices.csv`;
  const round = Math.ceil(invoices / leastRounds);
  if (file === undefined) await writeFile(path, madeUpInvoices(random, round * mostRounds));

  const up = new Set<string>(processes);
  const counts: Record<string, number> = Object.fromEntries(
    [...processes, 'importer', answered].map((one) => [one, 0]),
  );
  const killing = new Set<string>();
  const onEvent = (event: SupervisorEvent) => {
    if (event.type === 'ready') up.add(event.name);
    if (event.type !== 'died') return;
    up.delete(event.name);
    if (killing.delete(event.name) || event.name !== 'process-manager') return;
    if (event.reason.includes('SIGKILL')) counts[answered] = (counts[answered] ?? 0) + 1;
  };
  // It dies there again after every restart, so long as so many payments are left; not sooner, because answers come many
  // at once, and each life must get some of them into the log.
  const passes = random.between(6 + Math.ceil(invoices / 15), 8 + Math.ceil(invoices / 8));
  const env = { FAILPOINT: `charge-answered:${passes}` };
  say(`seed ${seed}: ${invoices} invoices, every process killed ${kills} times, and at the ${passes}th payment`);
  const drill = await startDrillSystem(env, { onEvent, limits: { firstBackoffMs: 100, maxBackoffMs: 400 } });
  try {
    const { supervisor } = drill.system;
    const argsOf = (rounds: number) => ['--invoices', String(rounds * round), '--data', drill.data.path];
    let isKilling = true;
    const wantsMore = (rounds: number) => rounds < leastRounds || (isKilling && rounds < mostRounds);
    const importer = startImporter(path, argsOf, wantsMore);
    const victims = new Map<string, Victim>(
      processes.map((name) => [
        name,
        {
          name,
          isUp: () => up.has(name),
          kill() {
            if (!supervisor.kill(name, 'SIGKILL')) return false;
            up.delete(name);
            killing.add(name);
            return true;
          },
        },
      ]),
    );
    victims.set('importer', importer);
    const began = performance.now();
    const left = await killAll({
      random,
      victims,
      order: killOrder(random, [...victims.keys()], kills),
      pauseMs: { least: 50, most: longestPauseMs },
      goesOn: () => !importer.isDone(),
      onKill(name) {
        counts[name] = (counts[name] ?? 0) + 1;
        say(`  ${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  killed ${name}`);
      },
    });
    isKilling = false;
    const { code, output, rounds } = await importer.done;
    say(
      `  ${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  the import ended with ${code}, ${rounds * round} invoices`,
    );
    const faults = [
      ...(left.length > 0 ? [`the import was over before ${left.length} kills: give it more invoices`] : []),
      ...(code === 0 ? [] : [`the import ended with ${code}: ${output.trim().split('\n').slice(-12).join('\n    ')}`]),
      ...((counts[answered] ?? 0) > 0 ? [] : ['nothing was killed between an answer and its append']),
    ];
    const checked = await check(drill, path, rounds * round, output);
    return { ...checked, faults: [...faults, ...checked.faults], kills: counts };
  } finally {
    await drill.close();
    await folder.remove();
  }
}

/** Holds what is there at rest against the file, the invariants and the hash chain, and imports once more. */
async function check(drill: DrillSystem, path: string, invoices: number, told: string) {
  const faults: string[] = [];
  const report = await eventually(
    'every order to end',
    async () => {
      const found = await drill.audit();
      return found.orders.open === 0 && found;
    },
    120_000,
  ).catch(() => drill.audit());
  faults.push(...complaintsOf(report));
  if (report.orders.open > 0) faults.push(`${report.orders.open} orders have not ended`);
  const wanted = [...countStraight(path, invoices).values()].reduce((sum, { orders }) => sum + orders, 0);
  if (report.orders.confirmed !== wanted) {
    faults.push(`${report.orders.confirmed} orders are confirmed, the file has ${wanted}`);
  }
  const eventLog = openEventLog(drill.system.facts.eventStoreUrl, silentLogger);
  const chain = await verifyChain(eventLog.readAll());
  await eventLog.close();
  if (chain.firstBreak !== undefined) faults.push(`the hash chain breaks at ${chain.firstBreak.stream}`);

  const again = await startImporter(path, () => ['--invoices', String(invoices), '--data', drill.data.path]).done;
  const tableOf = (output: string) => output.split('\n').filter((line) => /^\s*20\d\d-\d\d /.test(line));
  if (again.code !== 0) faults.push(`an undisturbed import after it ended with ${again.code}`);
  if (tableOf(told).join('\n') !== tableOf(again.output).join('\n')) faults.push('the two imports show other tables');
  if (tableOf(told).length === 0) faults.push('the import showed no table');
  return { faults, orders: wanted, events: report.events };
}

const leastKills = 3;

/**
 * `npm run drill -- kill-import [--seed S] [--invoices 300] [--file F] [--kills 3]`: kills every process, the importer
 * too, at moments that the seed decides, while invoices are imported; ends with a table of kills, and with 1 when
 * anything is not as in the file.
 */
export async function runKillImport(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string', default: randomBytes(4).toString('hex') },
      invoices: { type: 'string', default: '300' },
      kills: { type: 'string', default: String(leastKills) },
      file: { type: 'string' },
    },
  });
  const say = (text: string) => void process.stdout.write(`${text}\n`);
  const { seed, file } = values;
  const outcome = await killImport({
    seed,
    file,
    invoices: Number(values.invoices),
    rounds: 3,
    kills: Number(values.kills),
    longestPauseMs: 2_000,
    say,
  });
  say('');
  for (const [name, count] of Object.entries(outcome.kills)) say(`  ${name.padEnd(36)} killed ${count} times`);
  for (const fault of outcome.faults) say(`  MISMATCH: ${fault}`);
  const { orders, events } = outcome;
  say(
    outcome.faults.length === 0
      ? `kill-import: ${orders} orders, ${events} events; the same as in the file, audit and hash chain clean (seed ${seed})`
      : `kill-import: FAILED (seed ${seed})`,
  );
  process.exitCode = outcome.faults.length === 0 ? 0 : 1;
}
