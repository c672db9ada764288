import { parseArgs } from 'node:util';
import { readProviderLedger } from '../../../cli/audit/provider-ledger.js';
import { complaintsOf, reportText } from '../../../cli/audit/report-text.js';
import { ShopClient } from '../../../cli/shop-client.js';
import { openEventLog } from '../../../runtime/event-store/event-log.js';
import { verifyChain } from '../../../runtime/event-store/verify-chain.js';
import { silentLogger } from '../../../runtime/logger.js';
import { eventually } from '../../support/eventually.js';
import { generousLimits } from '../../support/generous-limits.js';
import { type DrillSystem, startDrillSystem } from '../drill-system.js';
import { cancellations } from './cancellations.js';
import type { Ending } from './ending.js';
import { forgeries } from './forgeries.js';
import { interruptions } from './interruptions.js';
import { judge, table, type Verdict } from './judge.js';
import { payments } from './payments.js';
import { Stage, type Switches } from './stage.js';

const say = (text: string) => void process.stdout.write(`${text}\n`);

/** A reservation of two seconds, which the payment's four extend; the rest as short, so that every deadline passes. */
const environment = {
  RESERVATION_SECONDS: '2',
  PAYMENT_SECONDS: '4',
  PAYMENT_GRACE_SECONDS: '0',
  REFUND_RETRY_SECONDS: '1',
  WEBHOOK_GRACE_SECONDS: '1',
  RATE_LIMITS: JSON.stringify(generousLimits),
};
/** A refund that is refused for good is asked for again and again: one that is asked for just now is under way. */
const auditGraceMs = 10_000;

/**
 * `npm run drill -- endings [--without-redis | --with-redis] [--only TEXT]`: brings an order to every end there is, through
 * the gateway and with the sandbox provider's behaviours, reservations of 2 s; with Redis, and again with Redis stopped for
 * the whole time. A table for each pass, then the audit and the hash chain; exit 1 where anything is not as expected.
 */
export async function runEndings(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      'without-redis': { type: 'boolean', default: false },
      'with-redis': { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
    },
  });
  const both = values['with-redis'] === values['without-redis'];
  let failed = false;
  if (both || values['with-redis']) failed = !(await pass(true, values.only)) || failed;
  if (both || values['without-redis']) failed = !(await pass(false, values.only)) || failed;
  say(failed ? 'endings: FAILED' : 'endings: every order ended as it should, and everything agrees');
  process.exitCode = failed ? 1 : 0;
}

/** @returns whether everything was as expected */
async function pass(withRedis: boolean, only: string): Promise<boolean> {
  say(`\nstarting the system${withRedis ? '' : ', and stopping Redis'}`);
  const drill = await startDrillSystem(environment);
  const started = performance.now();
  const switches = switchesOf(drill);
  try {
    if (!withRedis) switches.pause('redis');
    const verdicts = await playAll(drill, switches, only);
    say(table(verdicts));
    const faults = verdicts.flatMap((verdict) => verdict.faults);

    const report = await drill.audit({ graceMs: auditGraceMs });
    say(reportText(report));
    const complaints = complaintsOf(report);
    if (report.orders.open > 0) complaints.push(`${report.orders.open} orders are open`);
    for (const [variant, { reserved }] of report.stock)
      if (reserved > 0) complaints.push(`${reserved} pieces of ${variant} are reserved`);
    const eventLog = openEventLog(drill.system.facts.eventStoreUrl, silentLogger);
    const chain = await verifyChain(eventLog.readAll());
    await eventLog.close();
    if (chain.firstBreak !== undefined) complaints.push(`the hash chain breaks at ${chain.firstBreak.stream}`);
    for (const complaint of complaints) say(`  MISMATCH: ${complaint}`);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const { confirmed, failed, cancelled } = report.orders;
    say(
      `${verdicts.length} endings, ${confirmed} orders confirmed, ${failed} failed, ${cancelled} cancelled; ${chain.events} events, chain ${chain.firstBreak === undefined ? 'intact' : 'broken'}; ${seconds} s`,
    );
    return faults.length + complaints.length === 0;
  } finally {
    if (!withRedis) switches.resume('redis');
    await drill.close();
  }
}

async function playAll(drill: DrillSystem, switches: Switches, only: string): Promise<Verdict[]> {
  const { facts, demo } = drill.system;
  const anybody = new ShopClient(facts.gatewayUrl);
  const { paymentKey, webhook } = drill.data.secrets();
  const eventLog = openEventLog(facts.eventStoreUrl, silentLogger);
  try {
    const stage = await Stage.open({
      customer: await anybody.logIn(demo?.customer ?? '', demo?.password ?? ''),
      admin: await anybody.logIn(demo?.admin ?? '', demo?.password ?? ''),
      eventLog,
      webhookSecret: webhook,
      readLedger: () => readProviderLedger(facts.paymentUrl, paymentKey),
      switches,
    });
    const wanted = (endings: readonly Ending[]) => endings.filter(({ name }) => name.includes(only));
    // The first order of a process draws a block of numbers, and every code path is slow the first time.
    await stage.until(await stage.order([await stage.piece(1, 1)], 'visa'), 'fulfilment.ended');
    const together = wanted([...payments, ...cancellations, ...forgeries]);
    const verdicts = await Promise.all(together.map((ending) => play(stage, ending)));
    for (const ending of wanted(interruptions)) verdicts.push(await play(stage, ending));
    return verdicts;
  } finally {
    await eventLog.close();
  }
}

async function play(stage: Stage, ending: Ending): Promise<Verdict> {
  try {
    return await judge(stage, ending, await ending.play(stage));
  } catch (error) {
    const faults = [error instanceof Error ? error.message : String(error)];
    return { name: ending.name, expected: ending.expected.order, seen: 'unknown', stock: '', money: '', faults };
  }
}

function switchesOf(drill: DrillSystem): Switches {
  const { supervisor } = drill.system;
  return {
    pause: (process) => void supervisor.kill(process, 'SIGSTOP'),
    resume: (process) => void supervisor.kill(process, 'SIGCONT'),
    async kill(process) {
      const before = supervisor.pid(process);
      supervisor.kill(process, 'SIGKILL');
      await eventually(`${process} to be started again`, () => {
        const pid = supervisor.pid(process);
        return pid !== undefined && pid !== before;
      });
    },
  };
}
