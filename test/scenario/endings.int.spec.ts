import { expect } from 'chai';
import { readProviderLedger } from '../../cli/audit/provider-ledger.js';
import { complaintsOf } from '../../cli/audit/report-text.js';
import { ShopClient } from '../../cli/shop-client.js';
import { cancellations } from '../drill/endings/cancellations.js';
import { forgeries } from '../drill/endings/forgeries.js';
import { judge, type Verdict } from '../drill/endings/judge.js';
import { payments } from '../drill/endings/payments.js';
import { Stage } from '../drill/endings/stage.js';
import { startTestShop, type TestShop } from '../support/shop.js';

/** Longer than a test should wait, or in need of processes of their own. */
const leftToTheDrill = [
  'silence',
  'silent',
  'no retry',
  'deadline',
  'too late',
  'every answer lost',
  'forged',
  'used id',
];

/** A slice of `npm run drill -- endings`. */
describe('the endings of an order', function () {
  this.timeout(90_000);
  const endings = [...payments, ...cancellations, ...forgeries].filter(
    ({ name }) => !leftToTheDrill.some((part) => name.includes(part)),
  );
  const verdicts = new Map<string, Promise<Verdict>>();
  let shop: TestShop;

  before(async () => {
    shop = await startTestShop();
    await shop.stopFulfilment();
    await shop.startFulfilment((options) => {
      const short = { reservationMs: 2_000, paymentMs: 60_000, graceMs: 0, refundRetryMs: 100 };
      return { ...options, policy: { ...options.policy, ...short } };
    });
    const client = async (roles?: ['admin']) => new ShopClient(shop.gatewayUrl, (await shop.logIn(roles)).token);
    const stage = await Stage.open({
      customer: await client(),
      admin: await client(['admin']),
      eventLog: shop.writeSide.eventLog,
      webhookSecret: shop.webhookSecret,
      readLedger: () => readProviderLedger(shop.providerUrl, shop.providerKey),
      switches: undefined,
    });
    for (const ending of endings) {
      const verdict = ending.play(stage).then((played) => judge(stage, ending, played));
      verdict.catch(() => {});
      verdicts.set(ending.name, verdict);
    }
  });
  after(() => shop.close());

  for (const { name } of endings) {
    it(`${name}: as the log, the stock, the provider and the read model should have it`, async () => {
      const { faults, seen, expected } = (await verdicts.get(name)) as Verdict;
      expect({ faults, seen }).to.deep.equal({ faults: [], seen: expected });
    });
  }

  it('leave nothing that an audit complains of', async () => {
    await Promise.all(verdicts.values());
    const report = await shop.audit({ graceMs: 10_000 });
    expect(complaintsOf(report)).to.deep.equal([]);
    expect(report.orders.open).to.equal(0);
    expect([...report.stock.values()].filter(({ reserved }) => reserved > 0)).to.deep.equal([]);
  });
});
