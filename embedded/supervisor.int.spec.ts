import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { silentLogger } from '../runtime/logger.js';
import { entryPoint } from '../test/support/entry-point.js';
import { redisCommand } from './redis.js';
import {
  type ProcessSpec,
  type Supervisor,
  SupervisorError,
  type SupervisorEvent,
  type SupervisorOptions,
  startSupervised,
} from './supervisor.js';

const endsWithStdin = `process.stdin.resume(); process.stdin.on('end', () => process.exit(0));`;

/** A process that says it is ready and lives until it is told to end. */
function child(name: string, script = '', env: Record<string, string> = {}): ProcessSpec {
  const body = `${endsWithStdin} process.on('SIGTERM', () => process.exit(0));
    ${script}; console.log('ready ${name} ' + JSON.stringify({ pid: process.pid }));`;
  return { name, command: process.execPath, args: ['-e', body], env, ready: 'line' };
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

describe('supervisor', () => {
  let logDir: string;
  let events: SupervisorEvent[];
  const supervisors: Supervisor[] = [];

  const start = async (stages: ProcessSpec[][], options: Partial<SupervisorOptions> = {}) => {
    const supervisor = await startSupervised(stages, {
      logDir,
      log: silentLogger,
      onEvent: (event) => events.push(event),
      ...options,
    });
    supervisors.push(supervisor);
    return supervisor;
  };
  const failure = async (stages: ProcessSpec[][], options: Partial<SupervisorOptions> = {}) => {
    const err = await start(stages, options).catch((reason: unknown) => reason);
    expect(err).to.be.instanceOf(SupervisorError);
    return err as SupervisorError;
  };
  const types = () => events.map((event) => `${event.name} ${event.type}`);

  beforeEach(async () => {
    logDir = await mkdtemp(join(tmpdir(), 'shopledger-supervisor-'));
    events = [];
  });

  afterEach(async () => {
    await Promise.all(supervisors.splice(0).map((supervisor) => supervisor.stop()));
    await rm(logDir, { recursive: true, force: true });
  });

  it('starts stage after stage, tells what the ready lines said, and stops in reverse', async () => {
    const slow = child('first', 'const until = Date.now() + 150; while (Date.now() < until);');
    const supervisor = await start([[slow], [child('second'), child('third')]]);
    expect(types()[0]).to.equal('first ready');
    expect(types().slice(1).toSorted()).to.deep.equal(['second ready', 'third ready']);
    const pid = supervisor.pid('first') ?? 0;
    expect(supervisor.facts('first')).to.deep.equal({ pid });
    await supervisor.stop();
    expect(types().at(-1)).to.equal('first stopped');
    expect(types().filter((type) => type.endsWith('stopped'))).to.have.length(3);
    expect(alive(pid)).to.equal(false);
  });

  it('starts the processes of one stage in parallel', async () => {
    const server = createServer();
    const both = new Promise<void>((resolve) => {
      let sockets = 0;
      server.on('connection', (socket) => {
        socket.on('error', () => {});
        sockets += 1;
        if (sockets === 2) resolve();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    // Each becomes ready only after the other one has started too.
    const waits = (name: string): ProcessSpec => ({
      ...child(name),
      args: [
        '-e',
        `${endsWithStdin} const socket = require('node:net').connect(${port}, '127.0.0.1');
         socket.on('data', () => console.log('ready ${name} {}'));`,
      ],
    });
    const sockets: import('node:net').Socket[] = [];
    server.on('connection', (socket) => sockets.push(socket));
    const started = start([[waits('left'), waits('right')]]);
    await both;
    for (const socket of sockets) socket.write('go');
    await started;
    await supervisors[0]?.stop();
    server.close();
  });

  it('gives processes the environment of a supervised process, and keeps their stderr', async () => {
    const lines: string[] = [];
    const script = `console.error(process.env.SHOPLEDGER_SUPERVISED + ' ' + process.env.EXTRA); console.log('on stdout')`;
    const supervisor = await start([[child('talker', script, { EXTRA: 'more' })]], {
      onLogLine: (name, line) => lines.push(`${name}: ${line}`),
    });
    await supervisor.stop();
    const log = await readFile(join(logDir, 'talker.log'), 'utf8');
    expect(log.split('\n')).to.include('1 more').and.to.include('on stdout');
    expect(log).not.to.include('ready talker');
    expect(lines).to.deep.equal(['talker: 1 more']);
  });

  it('moves a log file that has grown too large', async () => {
    const script = `for (let i = 0; i < 40; i++) require('node:fs').writeSync(2, 'x'.repeat(99) + String.fromCharCode(10))`;
    const supervisor = await start([[child('chatty', script)]], { limits: { logBytes: 1_000 } });
    await supervisor.stop();
    const moved = await readFile(join(logDir, 'chatty.log.1'), 'utf8');
    const now = await readFile(join(logDir, 'chatty.log'), 'utf8');
    expect(moved.length).to.be.greaterThan(1_000);
    expect(now.length).to.be.at.most(1_000);
    expect(moved.endsWith('\n')).to.equal(true);
  });

  it('restarts what dies, each time later, and counts it', async () => {
    const supervisor = await start([[child('mortal')]], { limits: { firstBackoffMs: 10, maxBackoffMs: 40 } });
    for (let round = 1; round <= 4; round += 1) {
      const before = supervisor.pid('mortal');
      expect(supervisor.kill('mortal', 'SIGKILL')).to.equal(true);
      await until(() => types().filter((type) => type === 'mortal ready').length === round + 1);
      expect(supervisor.pid('mortal')).not.to.equal(before);
      expect(supervisor.restarts('mortal')).to.equal(round);
    }
    const deaths = events.filter((event) => event.type === 'died');
    expect(deaths.map((event) => event.restartInMs)).to.deep.equal([10, 20, 40, 40]);
    expect(deaths[0]?.reason).to.equal('signal SIGKILL');
  });

  it('begins with the first back-off again after a steady time', async () => {
    const supervisor = await start([[child('steady')]], { limits: { firstBackoffMs: 10, steadyMs: 0 } });
    for (let round = 1; round <= 3; round += 1) {
      supervisor.kill('steady', 'SIGKILL');
      await until(() => types().filter((type) => type === 'steady ready').length === round + 1);
    }
    const deaths = events.filter((event) => event.type === 'died');
    expect(deaths.map((event) => event.restartInMs)).to.deep.equal([10, 10, 10]);
  });

  it('goes on trying when a restart fails', async () => {
    const flag = join(logDir, 'broken');
    const script = `const fs = require('node:fs');
      if (fs.existsSync(${JSON.stringify(flag)})) { fs.rmSync(${JSON.stringify(flag)}); process.exit(3); }
      process.on('SIGUSR2', () => { fs.writeFileSync(${JSON.stringify(flag)}, ''); process.exit(2); })`;
    const supervisor = await start([[child('shaky', script)]], { limits: { firstBackoffMs: 5 } });
    supervisor.kill('shaky', 'SIGUSR2');
    await until(() => supervisor.restarts('shaky') === 2 && types().at(-1) === 'shaky ready');
    expect(types()).to.deep.equal(['shaky ready', 'shaky died', 'shaky restart-failed', 'shaky ready']);
  });

  it('stops everything when a process ends while starting, and says what it said', async () => {
    const broken = { ...child('broken'), args: ['-e', `console.error('no such key'); process.exit(7);`] };
    const err = await failure([[child('early')], [child('beside'), broken]]);
    expect(err.code).to.equal('process-ended');
    expect(err.message).to.include('broken').and.to.include('exit code 7').and.to.include('no such key');
    expect(types()).to.include('early stopped');
    for (const event of events) if (event.type === 'ready') expect(alive(event.pid)).to.equal(false);
  });

  it('refuses a command that does not exist', async () => {
    const err = await failure([[{ name: 'ghost', command: '/nonexistent/ghost', args: [], ready: 'line' }]]);
    expect(err.code).to.equal('process-ended');
    expect(err.message).to.include('ENOENT');
  });

  it('refuses a process that is not ready in time', async () => {
    const mute = { ...child('mute'), args: ['-e', `process.stdin.resume(); console.error('still loading');`] };
    const err = await failure([[mute]], { limits: { readyMs: 500 } });
    expect(err.code).to.equal('process-not-ready');
    expect(err.message).to.include('still loading');
  });

  it('gives up a start when asked to', async () => {
    const mute = { ...child('mute'), args: ['-e', endsWithStdin] };
    const abort = new AbortController();
    const failing = failure([[child('early')], [mute]], { signal: abort.signal });
    await until(() => types().includes('early ready'));
    abort.abort();
    expect((await failing).code).to.equal('start-aborted');
    expect(types()).to.include('early stopped');
  });

  it('kills what does not stop in time', async () => {
    const stubborn = child('stubborn', `process.removeAllListeners('SIGTERM'); process.on('SIGTERM', () => {})`);
    const supervisor = await start([[stubborn]], { limits: { stopMs: 100 } });
    const pid = supervisor.pid('stubborn') ?? 0;
    await supervisor.stop();
    expect(types()).to.deep.equal(['stubborn ready', 'stubborn killed-at-stop', 'stubborn stopped']);
    expect(alive(pid)).to.equal(false);
  });

  it('stops while it waits to restart', async () => {
    const supervisor = await start([[child('mortal')]], { limits: { firstBackoffMs: 60_000, maxBackoffMs: 60_000 } });
    supervisor.kill('mortal', 'SIGKILL');
    await until(() => types().includes('mortal died'));
    expect(supervisor.pid('mortal')).to.equal(undefined);
    expect(supervisor.kill('mortal', 'SIGKILL')).to.equal(false);
    await supervisor.stop();
    expect(supervisor.restarts('mortal')).to.equal(0);
  });

  it('supervises Redis by its port, and refuses a port that is taken', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const address = probe.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const redis: ProcessSpec = { name: 'redis', ...redisCommand({ port, dataDir: logDir }), ready: { port } };
    expect((await failure([[redis]])).code).to.equal('port-in-use');
    probe.close();
    await once(probe, 'close');

    const supervisor = await start([[redis]], { limits: { firstBackoffMs: 5 } });
    const client = new Redis({ port, maxRetriesPerRequest: null, retryStrategy: () => 10 });
    client.on('error', () => {});
    await client.set('kept', 'yes');
    supervisor.kill('redis', 'SIGKILL');
    await until(() => types().filter((type) => type === 'redis ready').length === 2);
    expect(await client.get('kept')).to.equal('yes');
    client.disconnect();
    await supervisor.stop();
  });

  it('leaves nobody behind when it is killed itself', async () => {
    const { file, options } = entryPoint(import.meta.url, './supervisor');
    const script = `
      const { startSupervised } = await import(${JSON.stringify(file)});
      const silent = { debug() {}, info() {}, warn() {}, error() {} };
      const spec = ${JSON.stringify(child('orphan'))};
      const supervisor = await startSupervised([[spec]], { logDir: ${JSON.stringify(logDir)}, log: silent });
      console.log(supervisor.pid('orphan'));`;
    const parent = spawn(process.execPath, [...options, '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface({ input: parent.stdout }), 'line');
    const pid = Number(line);
    expect(alive(pid)).to.equal(true);
    parent.kill('SIGKILL');
    await until(() => !alive(pid));
  });
});
