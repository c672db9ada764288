import { expect } from 'chai';
import { readArguments, UsageError } from './arguments.js';
import type { Question } from './harness.js';

const ask = (name: string): Question => ({
  name,
  about: `about ${name}`,
  sizes: { events: { default: 100, about: 'how many' } },
  run: async () => [],
});
const questions = [ask('one'), ask('two')];
const names = (argv: string[]) => readArguments(argv, questions).map(({ question }) => question.name);

describe('the arguments of the benchmark', () => {
  it('ask all questions, or the one that is named', () => {
    expect(names([])).to.deep.equal(['one', 'two']);
    expect(names(['two'])).to.deep.equal(['two']);
    expect(names(['--rounds', '20'])).to.deep.equal(['one', 'two']);
  });

  it('have defaults', () => {
    const [asked] = readArguments([], questions);
    expect(asked).to.deep.include({ rounds: 9, seed: 1, sizes: { events: 100 } });
  });

  it('set what a question and all questions are asked with', () => {
    const [asked] = readArguments(['one', '--events', '7', '--rounds', '3', '--seed=5'], questions);
    expect(asked).to.deep.include({ rounds: 3, seed: 5, sizes: { events: 7 } });
  });

  for (const argv of [
    ['three'],
    ['one', '--evnets', '7'],
    ['--events', '7'],
    ['one', '--events', '0'],
    ['one', '--events', 'many'],
    ['one', '--events', '1.5'],
    ['one', '--rounds', '-1'],
    ['one', 'two'],
    ['--help'],
  ]) {
    it(`refuse ${argv.join(' ')}`, () => {
      expect(() => readArguments(argv, questions)).to.throw(UsageError);
    });
  }
});
