import { expect } from 'chai';
import { createLogger, type Logger, silentLogger } from './logger.js';

function capture(level?: string): { log: Logger; lines: () => Record<string, unknown>[]; text: () => string } {
  let text = '';
  const destination = {
    write(line: string) {
      text += line;
    },
  };
  const lines = () =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log: createLogger('shop', level, destination), lines, text: () => text };
}

describe('a logger', () => {
  it('writes one line of JSON: timestamp, level, service, message and what is added', () => {
    const { log, lines, text } = capture();
    log.info('order taken\nand more', { requestId: 'r1', userId: 'u1', duration: 12, lines: 3 });
    const [line] = lines();
    expect(text().split('\n')).to.have.length(2);
    expect(line).to.deep.include({
      level: 'info',
      service: 'shop',
      message: 'order taken\nand more',
      requestId: 'r1',
      userId: 'u1',
      duration: 12,
      lines: 3,
    });
    expect(Date.parse(String(line?.['timestamp']))).to.be.closeTo(Date.now(), 60_000);
    expect(line).to.have.all.keys(
      'timestamp',
      'level',
      'service',
      'message',
      'requestId',
      'userId',
      'duration',
      'lines',
    );
  });

  it('says nothing below its level', () => {
    const said = (level?: string) => {
      const { log, lines } = capture(level);
      for (const each of ['debug', 'info', 'warn', 'error'] as const) log[each](each);
      return lines().map(({ level: name, message }) => {
        expect(name).to.equal(message);
        return name;
      });
    };
    expect(said()).to.deep.equal(['info', 'warn', 'error']);
    expect(said('debug')).to.deep.equal(['debug', 'info', 'warn', 'error']);
    expect(said('warn')).to.deep.equal(['warn', 'error']);
    expect(said('silent')).to.deep.equal([]);
  });

  it('tells of an error its message, stack and cause', () => {
    const { log, lines } = capture();
    log.error('it failed', { err: new TypeError('outer', { cause: new Error('inner') }) });
    const err = lines()[0]?.['err'] as Record<string, unknown>;
    expect(err['type']).to.equal('TypeError');
    expect(err['message']).to.match(/outer.*inner/);
    expect(err['stack']).to.include('logger.unit.spec');
  });

  it('survives whatever it is given as a fault or a field', () => {
    const { log, lines } = capture();
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    for (const err of ['text', undefined, null, 7, { code: 'x' }]) log.error('odd', { err });
    log.info('odd', { position: 12n, cyclic, nested: { position: 12n }, date: new Date(0), none: undefined });
    expect(lines()).to.have.length(6);
  });

  it('keeps personal data and secrets out, also one level down', () => {
    const { log, text, lines } = capture();
    const personal = {
      email: 'hidden-1',
      name: 'hidden-2',
      phone: 'hidden-3',
      password: 'hidden-4',
      token: 'hidden-5',
      authorization: 'hidden-6',
      personal: { fields: 'hidden-7' },
      shipping_address: { street: 'hidden-8' },
    };
    log.info('a', personal);
    log.info('b', { user: personal, headers: { authorization: 'hidden-9' } });
    expect(text()).to.not.include('hidden');
    expect(lines()[0]).to.deep.include({ email: '[redacted]', shipping_address: '[redacted]' });
    expect(personal.email).to.equal('hidden-1');
  });
});

describe('the silent logger', () => {
  it('takes everything', () => {
    for (const each of ['debug', 'info', 'warn', 'error'] as const) silentLogger[each]('x', { err: new Error('x') });
  });
});
