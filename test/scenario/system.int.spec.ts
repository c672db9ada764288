import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { DataFolder } from '../../cli/data-folder.js';
import { ShopClient } from '../../cli/shop-client.js';
import { type System, startSystem } from '../../cli/up.js';
import { tamper } from '../../embedded/event-store-server/tamper.js';
import { newId } from '../../runtime/ids.js';
import { freeBlock } from '../drill/drill-system.js';
import { address } from '../support/catalogue.js';
import { eventually } from '../support/eventually.js';
import { temporaryFolder } from '../support/stores.js';

const launcher = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

interface Finished {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `shopledger <args>` as a process of its own. */
function shopledger(...args: string[]): Promise<Finished> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...process.execArgv, launcher, ...args], { timeout: 60_000 }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, out, err });
    });
  });
}

describe('the whole system, every part a process of its own', function () {
  this.timeout(90_000);
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let dataPath: string;
  let port: number;
  let system: System | undefined;

  before(async () => {
    folder = await temporaryFolder();
    dataPath = `${folder.path}/data`;
    port = await freeBlock();
    system = await startSystem({ dataPath, port });
  });
  after(async () => {
    await system?.stop();
    await folder.remove();
  });

  const customer = async () => {
    if (system?.demo === undefined) throw new Error('the system is not up');
    return new ShopClient(system.facts.gatewayUrl).logIn(system.demo.customer, system.demo.password);
  };

  it('shows an order that is paid, one that is paid with a second card, and one whose card is stolen', async () => {
    const { code, out, err } = await shopledger('demo', '--data', dataPath);
    expect(err).to.equal('');
    expect(code).to.equal(0);
    expect(out).to.match(
      /ORD-\d{4}-00001 {2}confirmed[\s\S]*ORD-\d{4}-00002 {2}confirmed[\s\S]*ORD-\d{4}-00003 {2}failed/,
    );
    expect(out).to.include('inventory.reserved');
  });

  it('is healthy as a whole', async () => {
    const reply = await new ShopClient(system?.facts.gatewayUrl ?? '').send('GET', '/health');
    expect(reply.status).to.equal(200);
  });

  it('refuses a second instance on the same data, and a port that is in use, with a sentence', async () => {
    const second = await shopledger('up', '--data', dataPath, '--port', String(await freeBlock()));
    expect([second.code, second.err.trim().split('\n').length]).to.deep.equal([1, 1]);
    expect(second.err).to.include('in use by process');
    const other = await shopledger('up', '--data', `${folder.path}/other`, '--port', String(port));
    expect([other.code, other.err.trim().split('\n').length]).to.deep.equal([1, 1]);
    expect(other.err).to.match(/port \d+/i);
  });

  it('starts a process again that was killed, and orders go on', async () => {
    const client = await customer();
    for (const name of ['process-manager', 'payment-provider', 'projections', 'command-api']) {
      expect(system?.supervisor.kill(name, 'SIGKILL')).to.equal(true);
      await eventually(`${name} to be started again`, () => (system?.supervisor.restarts(name) ?? 0) > 0, 30_000);
    }
    const { data } = await client.must('GET', '/products?limit=1');
    const item = { product_id: data.products[0].product_id, variant_id: data.products[0].variants[0].variant_id };
    const body = { items: [{ ...item, quantity: 1 }], payment_method: 'pm_card_visa', shipping_address: address };
    const key = { 'idempotency-key': newId() };
    const placed = await eventually(
      'the order to be accepted',
      async () => {
        const reply = await client.send('POST', '/orders', body, key);
        return reply.status === 202 && reply;
      },
      30_000,
    );
    await eventually(
      'the order to be confirmed',
      async () => (await client.send('GET', `/orders/${placed.data.order_id}`)).data?.status === 'confirmed',
      30_000,
    );
  });

  it('keeps everything through a stop and a start', async () => {
    const client = await customer();
    const before = (await client.must('GET', '/orders')).data.orders;
    expect(before.length).to.be.greaterThan(2);
    await system?.stop();
    system = undefined;
    system = await startSystem({ dataPath, port });
    const after = (await (await customer()).must('GET', '/orders')).data.orders;
    expect(after).to.deep.equal(before);
    expect((await shopledger('demo', '--data', dataPath)).code).to.equal(0);
  });

  describe('its log', () => {
    it('is intact while it runs and after it has stopped', async () => {
      const running = await shopledger('verify', '--data', dataPath);
      expect([running.code, running.out.startsWith('intact: ')]).to.deep.equal([0, true]);
      const audited = await shopledger('audit', '--data', dataPath);
      expect([audited.code, audited.out.includes('\nclean: ')]).to.deep.equal([0, true]);
      await system?.stop();
      system = undefined;
      const atRest = await shopledger('audit', '--data', dataPath);
      const found = ({ out }: Finished) => out.split('\nclean: ')[0];
      expect([atRest.code, found(atRest)]).to.deep.equal([0, found(audited)]);
      const stopped = await shopledger('verify', '--data', dataPath);
      expect([stopped.code, stopped.out.split(',')[0]]).to.deep.equal([0, running.out.split(',')[0]]);
    });

    it('is broken where one byte was changed, whether the record’s checksum was forged or not', async () => {
      const events = new DataFolder(dataPath).at('event-store');
      const { stream, revision } = await tamper(events, 20, { fixChecksum: true });
      const forged = await shopledger('verify', '--data', dataPath);
      expect(forged.code).to.equal(1);
      expect(forged.out).to.include(`broken: ${stream} revision ${revision}, position 20: hash-wrong`);
      const other = await tamper(events, 10, { fixChecksum: false });
      const damaged = await shopledger('verify', '--data', dataPath);
      expect(damaged.code).to.equal(1);
      expect(damaged.out).to.include('unreadable');
      expect(damaged.out).to.include(other.stream);
      const audited = await shopledger('audit', '--data', dataPath);
      expect([audited.code, audited.err.includes('shopledger verify')]).to.deep.equal([1, true]);
    });
  });

  it('refuses to start without Redis, and says what to do', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = folder.path;
    try {
      const { code, err } = await shopledger('up', '--data', `${folder.path}/third`);
      expect([code, err.includes('redis-server')]).to.deep.equal([1, true]);
    } finally {
      process.env['PATH'] = path;
    }
  });

  it('leaves a listener alone that has one of its ports', async () => {
    const block = await freeBlock();
    const taken = createServer().listen(block + 4, '127.0.0.1');
    const { code, err } = await shopledger('up', '--data', `${folder.path}/fourth`, '--port', String(block));
    taken.close();
    expect([code, err.includes(String(block + 4))]).to.deep.equal([1, true]);
  });

  describe('stopped', () => {
    it('refuses to start without a key that its data were written with', async () => {
      const data = new DataFolder(dataPath);
      const key = readFileSync(data.at('keys', 'master.hex'), 'utf8');
      data.remove('keys/master.hex');
      const { code, err } = await shopledger('up', '--data', dataPath, '--port', String(port));
      data.write('keys/master.hex', key);
      expect([code, err.includes('master.hex')]).to.deep.equal([1, true]);
    });

    it('refuses data of another format with a sentence', async () => {
      new DataFolder(dataPath).write('format.json', '{"format":99}');
      const { code, err } = await shopledger('up', '--data', dataPath, '--port', String(port));
      expect([code, err.trim().split('\n').length]).to.deep.equal([1, 1]);
      expect(err).to.include('format 99');
    });
  });
});
