import { expect } from 'chai';
import { inWords, Progress } from './progress.js';

describe('progress', () => {
  const shown = (isTTY: boolean) => {
    let now = 0;
    const texts: string[] = [];
    const progress = new Progress({ isTTY, write: (text) => void texts.push(text) }, () => now);
    const pass = (ms: number) => {
      now += ms;
    };
    return { progress, texts, pass };
  };

  it('is a line every five seconds, with the rate and the time left', () => {
    const { progress, texts, pass } = shown(false);
    progress.begin('orders', 1_000);
    for (let i = 0; i < 100; i += 1) {
      pass(100);
      progress.advance();
    }
    progress.end();
    expect(texts).to.deep.equal([
      '  orders: 50 of 1,000 (5.0 %), 10 a second, 1 min 35 s left\n',
      '  orders: 100 of 1,000 (10.0 %), 10 a second, 1 min 30 s left\n',
      '  orders: 100 in 10.0 s, 10 a second\n',
    ]);
  });

  it('rewrites one line on a terminal, and leaves the last', () => {
    const { progress, texts, pass } = shown(true);
    progress.begin('orders', 4);
    pass(500);
    progress.advance(2);
    pass(500);
    progress.reach(4);
    progress.end('; 1 was there already');
    const lines = texts.join('').split('\r\u001b[2K');
    expect(lines.at(-1)).to.equal('  orders: 4 in 1.0 s, 4.0 a second; 1 was there already\n');
    expect(lines.slice(0, -1).join('')).not.to.include('\n');
  });

  it('says at once that it waits and for what, and not again and again', () => {
    const { progress, texts, pass } = shown(false);
    progress.begin('orders', 10);
    pass(100);
    progress.waitFor('nothing answers');
    progress.waitFor('nothing answers');
    progress.waitFor('the gateway answers 503');
    progress.waitFor(undefined);
    expect(texts).to.have.length(1);
    expect(texts[0]).to.include('; waiting: nothing answers');
    pass(5_000);
    progress.advance();
    expect(texts[1]).not.to.include('waiting');
  });

  it('tells times in words', () => {
    expect([0.2, 59, 61, 3_599, 7_260].map(inWords)).to.deep.equal([
      '1 s',
      '59 s',
      '1 min 01 s',
      '59 min 59 s',
      '2 h 01 min',
    ]);
  });
});
