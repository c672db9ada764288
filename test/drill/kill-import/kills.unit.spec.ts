import { expect } from 'chai';
import { seeded } from '../../support/seeded.js';
import { killAll, killOrder, type Victim } from './kills.js';
import { madeUpInvoices } from './made-up-invoices.js';

const names = ['one', 'two', 'three'];

/** Victims that are up again whenever somebody looks. */
function victims(killed: string[], isThere: (name: string) => boolean = () => true) {
  const victim = (name: string): Victim => ({
    name,
    isUp: () => true,
    kill() {
      if (!isThere(name)) return false;
      killed.push(name);
      return true;
    },
  });
  return new Map(names.map((name) => [name, victim(name)]));
}

describe('kills at seeded moments', () => {
  const pauseMs = { least: 0, most: 1 };

  it('come to every victim so many times, in the order of the seed', () => {
    const order = killOrder(seeded('a'), names, 3);
    expect([...order].sort()).to.deep.equal(names.flatMap((name) => [name, name, name]).sort());
    expect(killOrder(seeded('a'), names, 3)).to.deep.equal(order);
    expect(killOrder(seeded('b'), names, 3)).not.to.deep.equal(order);
  });

  it('are all made, and one that met nobody is made again', async () => {
    const killed: string[] = [];
    const answers = [false, false];
    const isThere = () => answers.shift() ?? true;
    const order = ['two', 'one', 'three', 'one'];
    const options = { random: seeded('c'), victims: victims(killed, isThere), order, pauseMs, goesOn: () => true };
    expect(await killAll(options)).to.deep.equal([]);
    expect(killed).to.deep.equal(order);
  });

  it('end with what they are for, and tell what was left', async () => {
    const killed: string[] = [];
    const goesOn = () => killed.length < 2;
    const order = ['one', 'two', 'three', 'one'];
    const options = { random: seeded('d'), victims: victims(killed), order, pauseMs, goesOn };
    expect(await killAll(options)).to.deep.equal(['three', 'one']);
  });
});

describe('made-up invoices', () => {
  it('are the same for the same seed, and hold what real ones hold', () => {
    const text = madeUpInvoices(seeded('e'), 200);
    expect(madeUpInvoices(seeded('e'), 200)).to.equal(text);
    expect(madeUpInvoices(seeded('f'), 200)).not.to.equal(text);
    for (const pattern of [/^C\d+,/m, /,POST,/, /,0\.001,/, /,NA,/, /"LARGE, ROUND/, /,-\d/, /^5\d+,.*,2011-05-/m]) {
      expect(text).to.match(pattern);
    }
  });
});
