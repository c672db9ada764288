import { parseArgs } from 'node:util';
import { reportText } from '../../../cli/audit/report-text.js';
import { ShopClient } from '../../../cli/shop-client.js';
import { allProjections } from '../../../projections/all-projections.js';
import { readModelId } from '../../../runtime/document-store/read-model.js';
import { eventually } from '../../support/eventually.js';
import { generousLimits } from '../../support/generous-limits.js';
import { type DrillSystem, startDrillSystem } from '../drill-system.js';
import { eventsOf, forgedStream } from './poison-events.js';
import { differences, freshFold, modelIds, readModelsOf, withLog } from './read-models.js';
import { shopledger } from './shopledger.js';
import { placeOrders } from './traffic.js';

const say = (text: string) => void process.stdout.write(`${text}\n`);
const told = (text: string) => say(text.replace(/^/gm, '  | '));
const model = 'orders-v1';
/** Every read model that must take in what is shipped. */
const shipping = allProjections.filter(({ types }) => types.has('order.shipped')).map((one) => readModelId(one.model));
/** The log takes a megabyte an event, the document store sixteen a document. */
const enough = 17;

/**
 * `npm run drill -- poison [--orders 100]`: among that many orders one gets events that make its document larger than the
 * document store takes, and another one an event of a version that no build knows. All other orders go on; both are
 * listed, repaired by discarding what is poison, and replayed in order while orders come in. Then every document is what
 * the log without those two events folds to; else exit 1.
 */
export async function runPoison(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { orders: { type: 'string', default: '100' } } });
  const count = Number(values.orders);
  say('starting the system');
  const drill = await startDrillSystem({ RATE_LIMITS: JSON.stringify(generousLimits) });
  const faults: string[] = [];
  const expect = (what: string, holds: boolean) => {
    say(`  ${holds ? 'yes' : 'NO '}  ${what}`);
    if (!holds) faults.push(what);
  };
  const compare = async (what: string) => {
    const { models } = await readModelsOf(drill);
    const fresh = await freshFold(drill);
    const found = modelIds.flatMap((id) => differences(fresh.get(id) ?? new Map(), models.get(id) ?? new Map()));
    const documents = [...models.values()].reduce((sum, { size }) => sum + size, 0);
    expect(`${what}: ${documents} documents are the fold of the log without what is left out`, found.length === 0);
    faults.push(...found);
    return models;
  };
  try {
    say(`${count} orders`);
    const ids = await withLog(drill, (eventLog) => placeOrders(drill, eventLog, count));
    const [large, newer] = [ids[Math.floor(count / 3)] ?? '', ids[Math.floor((count * 2) / 3)] ?? ''];
    await readModelsOf(drill);
    say(`poison for ${large} and ${newer}, and ten more orders`);
    const { stream, poison } = await withLog(drill, async (eventLog) => {
      const createdOf = async (id: string) => {
        for await (const { data } of eventLog.readStream(`order-${id}`, 0n, 1)) return data;
        throw new Error(`there is no order ${id}`);
      };
      const [a, b] = [eventsOf(large, await createdOf(large)), eventsOf(newer, await createdOf(newer))];
      const [ofA, ofB, alsoOfB] = [
        forgedStream(eventLog, large),
        forgedStream(eventLog, newer),
        forgedStream(eventLog, newer),
      ];
      let last = 0n;
      for (let event = 0; event < enough; event += 1) last = await ofA.append(a.large);
      for (const event of [a.shipped, a.delivered, a.returned]) await ofA.append(event);
      const unknown = await ofB.appendNewer(b.shipped);
      await alsoOfB.append(b.returned);
      await ofB.append(b.delivered);
      ids.push(...(await placeOrders(drill, eventLog, 10)));
      return { stream: ofB.name, poison: { large: last, newer: unknown } };
    });

    const models = await compare('with both parked');
    expect(`all ${ids.length} orders can be read`, models.get(model)?.size === ids.length);
    const health = await healthOf(drill);
    expect(`the gateway's health is degraded, not failed: ${JSON.stringify(health)}`, health.status === 'degraded');
    const list = (await shopledger(drill, 'parked', 'list')).said;
    told(list);
    const lists = (one: string, what: string, key: string) => new RegExp(`${one} +${what} +${key}`).test(list);
    expect('the large one is listed by its document', lists(model, 'document', large));
    expect(
      'the newer one is listed by its stream',
      shipping.every((one) => lists(one, 'stream', stream)),
    );
    expect('nothing else is listed', list.split('\n').length === 2 + shipping.length);
    told((await shopledger(drill, 'parked', 'show', model, large)).said);

    const again = await shopledger(drill, 'parked', 'replay', model, '--all', '--why', 'to see');
    told(again.said);
    expect('a replay without repair changes nothing and ends with 1', again.code === 1);
    await compare('after it');

    say('discarding the two, and replaying while ten more orders come in');
    await withLog(drill, async (eventLog) => {
      const orders = placeOrders(drill, eventLog, 10);
      const discards = [[model, large, poison.large], ...shipping.map((one) => [one, stream, poison.newer])] as const;
      for (const [one, key, position] of discards) {
        told(
          (await shopledger(drill, 'parked', 'discard', String(one), String(key), String(position), '--why', 'poison'))
            .said,
        );
      }
      for (const one of shipping) {
        const replayed = await shopledger(drill, 'parked', 'replay', one, '--all', '--why', 'repaired');
        told(replayed.said);
        expect(`the replay of ${one} ends with 0`, replayed.code === 0);
      }
      await orders;
    });
    const after = await compare('after the replay');
    const types = (id: string) => {
      const { timeline = [] } = (after.get(model)?.get(id) ?? {}) as { timeline?: { type: string }[] };
      return timeline.map(({ type }) => type).join(' ');
    };
    expect('what waited was folded in order', types(large).endsWith('order.shipped order.delivered order.returned'));
    expect('what came by another stream is in its place', types(newer).endsWith('order.returned order.delivered'));
    expect('nothing is parked any more', (await shopledger(drill, 'parked', 'list')).said === 'Nothing is parked.');
    told((await shopledger(drill, 'parked', 'history')).said);
    const healthy = async () => (await healthOf(drill)).status === 'healthy';
    expect('the gateway tells of good health', await eventually('good health', healthy, 30_000));
    say('kill -9 of projections');
    drill.system.supervisor.kill('projections', 'SIGKILL');
    await compare('after it');
    const report = await drill.audit({ waitMs: 60_000 });
    say(reportText(report));
    expect(
      'the audit finds every invariant kept',
      report.findings.every(({ violations }) => violations === 0),
    );
    const unread = report.hindrances.every((text) => text.includes(`position ${poison.newer} `));
    expect('and nothing that it could not look at but the poison', unread);
  } finally {
    await drill.close();
  }
  for (const fault of faults.slice(0, 20)) say(`  MISMATCH: ${fault}`);
  say(faults.length === 0 ? 'poison: parked alone, repaired, replayed in order' : 'poison: FAILED');
  process.exitCode = faults.length === 0 ? 0 : 1;
}

async function healthOf({ system }: DrillSystem): Promise<{ status: string; checks: Record<string, string> }> {
  const { data } = await new ShopClient(system.facts.gatewayUrl).send('GET', '/health');
  return { status: String(data?.status), checks: data?.checks };
}
