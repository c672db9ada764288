import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import { silentLogger } from '../../../runtime/logger.js';
import { eventually } from '../../../test/support/eventually.js';
import { verifyDataDir } from '../document-store.js';
import { failure, runMain, spawnStore, startTestServer } from '../test-server.js';

interface Doc {
  _id: number | string;
}

const documentsOf = (count: number) => Array.from({ length: count }, (_, _id) => ({ _id }));

describe('a document store that is stopped', function () {
  this.timeout(30_000);

  it('keeps what it acknowledged, ends reads, and leaves no client waiting', async () => {
    const server = await startTestServer();
    const client = new MongoClient(server.store.connectionString, { serverSelectionTimeoutMS: 300 });
    const items = client.db('shop').collection<Doc>('items');
    await items.insertMany(documentsOf(8_000));
    let acknowledged = 0;
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let n = 0; ; n++) {
        await items.insertOne({ _id: `w${writer}-${n}` });
        acknowledged++;
      }
    });
    const laborious = { $or: Array.from({ length: 300 }, (_, n) => ({ [`none${n}`]: 1 })) };
    const readers = Array.from({ length: 4 }, () => items.find(laborious).toArray());
    const ends = writers.map((one) => failure(one));
    await eventually('some writes', () => acknowledged > 50);
    await server.store.close();
    for (const err of await Promise.all(ends)) expect(err).to.be.instanceOf(Error);
    for (const read of await Promise.allSettled(readers))
      if (read.status === 'fulfilled') expect(read.value).to.be.empty;
    await client.close();
    await server.client.close();
    const { documents, faults } = await verifyDataDir(server.dataDir, silentLogger);
    expect(faults).to.deep.equal([]);
    expect(documents).to.be.at.least(8_000 + acknowledged);
    await server.stop();
  });

  it('is the same as a process, which names the port of its metrics', async () => {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'document-store-process-'));
    const { child, connectionString, metricsPort, exited } = await spawnStore(dataDir, {
      args: ['--metrics-port', '0'],
    });
    const page = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    expect(page).to.match(/^document_store_open_cursors 0$/m);
    const client = new MongoClient(connectionString);
    await client.db('shop').collection('items').insertOne({ n: 1 });
    child.kill('SIGTERM');
    expect(await exited).to.equal(0);
    await client.close();
    expect(await verifyDataDir(dataDir, silentLogger)).to.deep.equal({ documents: 1, faults: [] });
    rmSync(dataDir, { recursive: true });
  });
});

describe('the command of the document store', function () {
  this.timeout(60_000);

  it('refuses what it cannot do with one sentence and exit code 1', async () => {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'document-store-flags-'));
    const server = await startTestServer({ metricsPort: 0 });
    const faults: [string[], RegExp][] = [
      [['--data', dataDir, '--port', String(server.store.port)], /port \d+ of 127\.0\.0\.1 is in use/],
      [['--data', dataDir, '--port', '0', '--metrics-port', String(server.store.metricsPort)], /in use/],
      [['--data', dataDir, '--prt', '1'], /--prt/],
      [['--port', '0'], /--data/],
      [['--data', dataDir, '--port', '99999'], /--port/],
      [['--data', dataDir, '--disk-reserve', '-1'], /--disk-reserve/],
      [['--data', path.join(dataDir, 'none'), '--verify'], /holds no document store/],
      [['--data', server.dataDir, '--verify'], /in use by process/],
    ];
    for (const [args, sentence] of faults) {
      const { code, stdout, stderr } = await runMain(args);
      expect({ code, stdout }, args.join(' ')).to.deep.equal({ code: 1, stdout: '' });
      expect(stderr).to.match(sentence);
      expect(stderr.trim().split('\n')).to.have.length(1);
    }
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
});
