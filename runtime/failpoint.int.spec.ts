import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { failpoint, parseFailpoint } from './failpoint.js';

describe('a failpoint', () => {
  it('is a name and the pass at which the process dies', () => {
    expect(parseFailpoint('charge-answered:3')).to.deep.equal({ name: 'charge-answered', passes: 3 });
    expect(parseFailpoint(undefined)).to.equal(undefined);
    expect(parseFailpoint('')).to.equal(undefined);
  });

  for (const text of ['charge-answered', 'charge-answered:0', 'charge-answered:x', ':3', 'a b:1']) {
    it(`is not “${text}”`, () => {
      expect(() => parseFailpoint(text)).to.throw('FAILPOINT');
    });
  }

  it('does nothing where none is set', () => {
    failpoint('charge-answered');
  });
});

describe('a process with a failpoint', function () {
  this.timeout(20_000);

  it('dies as by kill -9 at that pass of that name, and at no other', () => {
    const url = JSON.stringify(new URL('./failpoint.js', import.meta.url).href);
    const program = `
      const { failpoint } = await import(${url});
      failpoint('other');
      failpoint('here');
      console.log('once');
      failpoint('here');
      console.log('twice');
    `;
    const env = { ...process.env, FAILPOINT: 'here:2' };
    const ended = spawnSync(process.execPath, ['--input-type=module', '-e', program], { env, encoding: 'utf8' });
    expect([ended.signal, ended.stdout]).to.deep.equal(['SIGKILL', 'once\n']);
  });
});
