import { type ChildProcess, spawn } from 'node:child_process';
import { expect } from 'chai';
import { entryPoint } from '../test/support/entry-point.js';
import { eventually } from '../test/support/eventually.js';

const { file, options } = entryPoint(import.meta.url, './lifecycle-fixture');

interface Running {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  out(): string;
  err(): string;
  says(text: string): Promise<unknown>;
}

describe('the life of a service', () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  const start = (behaviour: string, env: NodeJS.ProcessEnv = {}): Running => {
    const child = spawn(process.execPath, [...options, file, behaviour], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, SHOPLEDGER_SUPERVISED: '', ...env },
    });
    children.push(child);
    let out = '';
    let err = '';
    child.stdout?.on('data', (chunk) => {
      out += String(chunk);
    });
    child.stderr?.on('data', (chunk) => {
      err += String(chunk);
    });
    const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
    const says = (text: string) => eventually(`"${text}"`, () => out.includes(text), 15_000);
    return { child, exited, out: () => out, err: () => err, says };
  };

  it('says that it is ready in one line, and closes on SIGTERM', async () => {
    const service = start('runs');
    await service.says('ready');
    expect(service.out()).to.equal('ready sample {"port":7,"behaviour":"runs"}\n');
    service.child.kill('SIGTERM');
    expect(await service.exited).to.equal(0);
    expect(service.out()).to.match(/closing\nclosed\n$/);
    expect(JSON.parse(service.err())).to.deep.include({ level: 'info', message: 'stopping', signal: 'SIGTERM' });
  });

  it('closes on SIGINT, once, however often it is asked', async () => {
    const service = start('runs');
    await service.says('ready');
    service.child.kill('SIGINT');
    service.child.kill('SIGTERM');
    service.child.kill('SIGINT');
    expect(await service.exited).to.equal(0);
    expect(service.out().match(/closing/g)).to.have.length(1);
  });

  it('stops on SIGTERM while it is starting', async () => {
    const service = start('starts-slowly');
    await service.says('starting');
    service.child.kill('SIGTERM');
    expect(await service.exited).to.equal(0);
    expect(service.out()).to.not.include('ready');
  });

  for (const [behaviour, sentence] of [
    ['fails', 'sample: The port is in use already.\n'],
    ['fails-oddly', 'sample: nothing to listen on\n'],
  ] as const) {
    it(`ends with one sentence and exit code 1 when its start ${behaviour}`, async () => {
      const service = start(behaviour);
      expect(await service.exited).to.equal(1);
      expect({ out: service.out(), err: service.err() }).to.deep.equal({ out: '', err: sentence });
    });
  }

  for (const behaviour of ['rejects', 'throws'] as const) {
    it(`ends with exit code 1 when something ${behaviour} and nobody handles it`, async () => {
      const service = start(behaviour);
      expect(await service.exited).to.equal(1);
      expect(JSON.parse(service.err())).to.deep.include({ level: 'error', service: 'sample' });
      expect(service.err()).to.include('nobody cares');
    });
  }

  it('ends with exit code 1 when it cannot close in order', async () => {
    const service = start('closes-badly');
    await service.says('ready');
    service.child.kill('SIGTERM');
    expect(await service.exited).to.equal(1);
    expect(service.err()).to.include('it would not close');
  });

  it('ends with exit code 1 when closing takes more than ten seconds', async () => {
    const service = start('never-closes');
    await service.says('ready');
    const began = performance.now();
    service.child.kill('SIGTERM');
    expect(await service.exited).to.equal(1);
    expect(performance.now() - began).to.be.within(9_500, 15_000);
    expect(service.err()).to.include('did not stop in time');
  }).timeout(40_000);

  describe('under a supervisor', () => {
    it('closes when the supervisor is gone', async () => {
      const service = start('runs', { SHOPLEDGER_SUPERVISED: '1' });
      await service.says('ready');
      service.child.stdin?.end();
      expect(await service.exited).to.equal(0);
      expect(service.out()).to.match(/closed\n$/);
      expect(service.err()).to.include('supervisor gone');
    });

    it('is not closed by what is written to it', async () => {
      const service = start('runs', { SHOPLEDGER_SUPERVISED: '1' });
      await service.says('ready');
      service.child.stdin?.write('anything\n');
      service.child.kill('SIGTERM');
      expect(await service.exited).to.equal(0);
      expect(JSON.parse(service.err())).to.deep.include({ signal: 'SIGTERM' });
    });
  });

  it('does not mind its stdin ending when nobody supervises it', async () => {
    const service = start('runs');
    service.child.stdin?.end();
    await service.says('ready');
    service.child.kill('SIGTERM');
    expect(await service.exited).to.equal(0);
    expect(service.err()).to.not.include('supervisor gone');
  });
});
