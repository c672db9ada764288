import { writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { entryPoint } from '../../test/support/entry-point.js';
import { eventually } from '../../test/support/eventually.js';
import { startTestShop, type TestShop } from '../../test/support/shop.js';
import { exitOf, runEntry, spawnEntry } from '../../test/support/spawn-entry.js';
import { temporaryFolder } from '../../test/support/stores.js';
import { CommandFault } from '../fault.js';
import { type Meddling, madeUpInvoices, startMeddler } from './import-fixture.js';
import { importOnlineRetail } from './online-retail.js';
import { Patience } from './patience.js';
import { Progress } from './progress.js';
import { countStraight } from './straight-count.js';

const invoices = 24;
const cli = entryPoint(import.meta.url, '../main');

describe('an import of made-up invoices', function () {
  this.timeout(60_000);
  let shop: TestShop;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let path: string;
  let taken: number;
  // Each test has an importer of its own: what others imported into the same shop is none of its concern.
  let importer: { token: string; userId: string; email: string; password: string };
  let said: string;

  before(async () => {
    folder = await temporaryFolder();
    path = `${folder.path}/invoices.csv.gz`;
    await writeFile(path, gzipSync(madeUpInvoices(invoices)));
    taken = [...countStraight(path).values()].reduce((sum, { orders }) => sum + orders, 0);
    shop = await startTestShop();
  });
  after(async () => {
    await shop.close();
    await folder.remove();
  });
  beforeEach(async () => {
    said = '';
    importer = await shop.logIn(['importer']);
  });

  const say = (text: string) => {
    said += text;
  };
  const run = ({
    patienceMs = 60_000,
    ...options
  }: {
    invoices?: number;
    gatewayUrl?: string;
    path?: string;
    patienceMs?: number;
  } = {}) => {
    const out = { isTTY: false, write: say };
    const progress = new Progress(out);
    const patience = new Patience({ patienceMs, onWait: (what) => progress.waitFor(what) });
    return importOnlineRetail({
      path,
      gatewayUrl: shop.gatewayUrl,
      ...importer,
      concurrency: 8,
      out,
      progress,
      patience,
      ...options,
    });
  };
  const asChild = (gatewayUrl: string, ...args: string[]) => [
    ...['import', 'online-retail', path, ...args],
    ...['--gateway', gatewayUrl, '--email', importer.email, '--password', importer.password],
  ];
  const own = async () => (await shop.events()).filter(({ metadata }) => metadata['user_id'] === importer.userId);
  const settled = () =>
    eventually('every order to end', async () => {
      const types = (await own()).map(({ type }) => type);
      const count = (wanted: string) => types.filter((type) => type === wanted).length;
      return count('order.created') === count('fulfilment.ended') ? count('order.confirmed') : undefined;
    });
  /** Adds a penny to the first amount of an answer. */
  const dearer = (field: string) => (text: string) =>
    text.replace(new RegExp(`"${field}":([0-9.]+)`), (_, amount) => `"${field}":${(Number(amount) + 0.01).toFixed(2)}`);

  it('comes to the same sales as the file, to the penny, and a second run changes nothing', async () => {
    expect(await run(), said).to.equal(true);
    expect(await settled()).to.equal(taken);
    const head = (await shop.events()).length;
    said = '';
    expect(await run(), said).to.equal(true);
    expect((await shop.events()).length).to.equal(head);
    expect(said).to.include('were there already').and.not.to.include('other imported orders');

    const last = new Map<unknown, string>();
    for (const { type, data } of await own()) {
      if (type !== 'order.created' || data['user_id'] === null) continue;
      const reference = String(data['external_reference']);
      expect(reference > (last.get(data['user_id']) ?? ''), 'the order of one customer’s orders').to.equal(true);
      last.set(data['user_id'], reference);
    }
    expect(last.size).to.equal(5);

    const changes = (asked: string, text: string) => (asked.includes('/sales') ? dearer('revenue')(text) : text);
    const meddler = await startMeddler(shop.gatewayUrl, { changes });
    expect(await run({ gatewayUrl: meddler.url }), said).to.equal(false);
    await meddler.close();

    const other = `${folder.path}/other.csv`;
    await writeFile(other, madeUpInvoices(invoices).replaceAll(',1.5,', ',1.6,'));
    expect(await run({ path: other }).catch((error: unknown) => error)).to.be.instanceOf(CommandFault);
  });

  it('of a part goes on to the whole, and is compared by its own orders where there are others', async () => {
    expect(await run({ invoices: 10 }), said).to.equal(true);
    expect(await run(), said).to.equal(true);
    expect(await settled()).to.equal(taken);
    said = '';
    expect(await run({ invoices: 10 }), said).to.equal(true);
    expect(said).to.include('other imported orders');
  });

  it('outlives answers that are lost, refusals that pass, and a token that has run out', async () => {
    let asked = 0;
    let lost = 0;
    const meddling: Meddling = {
      instead(at) {
        asked += 1;
        if (at.endsWith('/auth/login')) return asked % 2 === 0 ? { status: 503, code: 'unavailable' } : undefined;
        if (asked % 41 === 0) return { status: 401, code: 'token-expired' };
        if (asked % 17 === 0) return { status: 429, code: 'rate-limited', headers: { 'retry-after': '0' } };
        return asked % 13 === 0 ? { status: 503, code: 'unavailable' } : undefined;
      },
      loses(at) {
        lost += 1;
        return !at.endsWith('/auth/login') && lost % 7 === 0;
      },
    };
    const meddler = await startMeddler(shop.gatewayUrl, meddling);
    expect(await run({ gatewayUrl: meddler.url }).finally(meddler.close), said).to.equal(true);
    expect(await settled()).to.equal(taken);
    expect(said).to.include('waiting:');
  });

  it('gives up with a sentence when nothing answers for too long', async () => {
    const meddler = await startMeddler(shop.gatewayUrl, { instead: () => ({ status: 503, code: 'unavailable' }) });
    const failed = await run({ gatewayUrl: meddler.url, patienceMs: 100 }).catch((error: unknown) => error);
    await meddler.close();
    expect(failed).to.be.instanceOf(CommandFault);
  });

  it('killed in the middle, with servers restarted, goes on; and a penny of difference ends it with 1', async () => {
    const child = spawnEntry(cli, asChild(shop.gatewayUrl, '--concurrency', '1'));
    child.stdout?.resume();
    child.stderr?.resume();
    const exited = exitOf(child);
    await eventually('the first order', async () => (await own()).some(({ type }) => type === 'order.created'), 30_000);
    child.kill('SIGKILL');
    await exited;
    await shop.stopFulfilment();
    await shop.restartCommandApi();
    await shop.startFulfilment();
    const changes = (asked: string, text: string) => (asked.includes('/orders/') ? dearer('amount')(text) : text);
    const meddler = await startMeddler(shop.gatewayUrl, { changes });
    const { code, stdout, stderr } = await runEntry(cli, asChild(meddler.url)).finally(meddler.close);
    expect(code, stdout + stderr).to.equal(1);
    expect(stdout).to.include('differ');
    expect(await settled()).to.equal(taken);
    expect(await run(), said).to.equal(true);
  });
});
