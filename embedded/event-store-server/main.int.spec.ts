import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AccessDeniedError, jsonEvent } from '@eventstore/db-client';
import { expect } from 'chai';
import { openEventLog } from '../../runtime/event-store/event-log.js';
import { silentLogger } from '../../runtime/logger.js';
import { connect, makeDataDir, openTestStore, rejection, runMain, spawnStore } from './store-fixture.js';
import { tamper } from './tamper.js';

const event = (type: string) => jsonEvent({ type, data: { city: 'Delft' } });

describe('the command of the embedded event store', () => {
  it('refuses a used port, unknown flags and an unusable address with one sentence and exit code 1', async () => {
    const dataDir = makeDataDir();
    const test = await openTestStore();
    const faults: [string[], RegExp][] = [
      [['--data', dataDir, '--port', String(test.store.port)], /Port \d+ on 127\.0\.0\.1 is in use already/],
      [['--data', dataDir, '--prt', '1'], /--prt/],
      [['--port', '0'], /--data/],
      [['--data', dataDir, '--port', '0', '--advertise', 'nowhere'], /host:port/],
      [['--data', dataDir, '--port', '0', '--password', ''], /--password/],
      [['--data', dataDir, '--port', '0', '--tls-key', 'key.pem'], /--tls-cert/],
      [['--data', join(dataDir, 'none'), '--verify'], /holds no event store data/],
    ];
    for (const [args, sentence] of faults) {
      const { code, stdout, stderr } = await runMain(args);
      expect({ code, stdout }, args.join(' ')).to.deep.equal({ code: 1, stdout: '' });
      expect(stderr).to.match(sentence);
      expect(stderr.trim().split('\n')).to.have.length(1);
    }
    await test.remove();
    rmSync(dataDir, { recursive: true, force: true });
  }).timeout(30_000);

  it('verifies a closed data directory', async () => {
    const test = await openTestStore();
    await test.client.appendToStream('s', [event('a'), event('b')]);
    await test.stop();
    const intact = await runMain(['--data', test.dataDir, '--verify']);
    expect(intact).to.include({ code: 0, stdout: 'intact: 2 events in 1 streams\n' });
    await tamper(test.dataDir, 1, { fixChecksum: false });
    const damaged = await runMain(['--data', test.dataDir, '--verify']);
    expect(damaged.code).to.equal(1);
    expect(damaged.stderr).to.match(/stream "s", revision 0, position 1/);
    await test.remove();
  }).timeout(20_000);

  for (const [where, given] of [
    ['environment', { env: { EVENT_STORE_PASSWORD: 'sesame-1' } }],
    ['arguments', { args: ['--password', 'sesame-1'] }],
  ] as const) {
    it(`asks for the password of its ${where}, and never says it`, async () => {
      const dataDir = makeDataDir();
      const env = { LOG_LEVEL: 'trace', ...('env' in given ? given.env : {}) };
      const args = 'args' in given ? [...given.args] : [];
      const { child, connectionString, exited } = await spawnStore(dataDir, { env, args });
      let said = connectionString;
      child.stderr?.on('data', (chunk) => {
        said += String(chunk);
      });
      const client = connect(connectionString);
      expect(await rejection(client.appendToStream('s', event('a')))).to.be.instanceOf(AccessDeniedError);
      const log = openEventLog(connectionString.replace('://', '://admin:sesame-1@'), silentLogger);
      expect(await log.head()).to.equal(0n);
      await Promise.all([client.dispose(), log.close()]);
      child.kill('SIGTERM');
      expect(await exited).to.equal(0);
      expect(said).to.contain('stopping').and.not.contain('sesame');
      rmSync(dataDir, { recursive: true });
    }).timeout(20_000);
  }

  it('names the port of its metrics where it has one, and stops with a reader of them', async () => {
    const dataDir = makeDataDir();
    const { child, metricsPort, exited } = await spawnStore(dataDir, { args: ['--metrics-port', '0'] });
    const page = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
    expect(page.status).to.equal(200);
    expect(await page.text()).to.match(/^event_store_head_position 0$/m);
    child.kill('SIGTERM');
    expect(await exited).to.equal(0);
    rmSync(dataDir, { recursive: true });
  }).timeout(20_000);

  it('takes out of a closed data directory what nobody may read any more', async () => {
    const test = await openTestStore();
    await test.client.appendToStream('s', [event('a'), event('b'), event('c')]);
    await test.client.setStreamMetadata('s', { maxCount: 1 });
    await test.stop();
    const { code, stdout } = await runMain(['--data', test.dataDir, '--scavenge']);
    expect({ code, removed: /removed: 2 events of 1 streams/.test(stdout) }).to.deep.equal({ code: 0, removed: true });
    const intact = await runMain(['--data', test.dataDir, '--verify']);
    expect(intact).to.include({ code: 0, stdout: 'intact: 2 events in 2 streams\n' });
    await test.remove();
  }).timeout(20_000);

  it('stops in order on SIGTERM', async () => {
    const dataDir = makeDataDir();
    const { child, connectionString, metricsPort, exited } = await spawnStore(dataDir);
    expect(metricsPort).to.equal(undefined);
    const client = connect(connectionString);
    await client.appendToStream('s', event('a'));
    child.kill('SIGTERM');
    expect(await exited).to.equal(0);
    expect(existsSync(join(dataDir, 'server.lock'))).to.equal(false);
    await client.dispose();
    rmSync(dataDir, { recursive: true });
  }).timeout(20_000);
});
