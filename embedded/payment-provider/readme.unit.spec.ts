import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { projectFolder } from '../../test/support/titled-tests.js';
import { behaviours, conductOf, goodCards } from './behaviours.js';

const here = join(projectFolder(), 'embedded/payment-provider');
const readme = readFileSync(join(here, 'README.md'), 'utf8');
const codesIn = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

const rows = readme
  .split('\n')
  .filter((line) => line.startsWith('| `pm_card_'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, method = '', amount = '', what = '']) => ({ method: codesIn(method)[0] ?? '', amount, what }));

const minor = (amount: string) => Number(amount.replaceAll(/[,.]/g, ''));

describe('the page about the sandbox payment provider', () => {
  it('tells of every behaviour, with its amount and what it does, and of no other', () => {
    const told = behaviours.map(({ name, number, about }) => ({
      method: `pm_card_${name}`,
      amount: `999,${String(number).padStart(3, '0')}.00`,
      what: about,
    }));
    expect(rows).to.deep.equal(told);
  });

  it('gives each payment method an amount that does the same', () => {
    for (const { method, amount } of rows) {
      expect(conductOf('pm_card_visa', minor(amount)), method).to.deep.equal(conductOf(method, 100));
    }
  });

  it('names the cards that pay', () => {
    const [sentence = ''] = /^The payment methods .* pay\./m.exec(readme) ?? [];
    expect(codesIn(sentence).toSorted()).to.deep.equal(Object.keys(goodCards).toSorted());
  });

  it('tells of nothing that is not tried', () => {
    const tried = readFileSync(join(here, 'behaviours.int.spec.ts'), 'utf8');
    const untried = behaviours.filter(({ name, does }) => {
      const declinesOnly = does.now === 'declines' && does.later === undefined;
      return !declinesOnly && !tried.includes(`'${name}'`) && !tried.includes(`'${name}_`);
    });
    expect(untried).to.deep.equal([]);
  });
});
