import { expect } from 'chai';
import { digits, isMet, row, table } from './rows.js';

describe('a row of the table', () => {
  it('holds its samples, their middle and spread, and whether the goal was met', () => {
    expect(row('faster', 'x', [6, 4, 5], { id: 'P0', goal: { atLeast: 5 } })).to.deep.equal({
      id: 'P0',
      measure: 'faster',
      unit: 'x',
      samples: [6, 4, 5],
      value: { median: 5, lower: 4.5, upper: 5.5 },
      goal: { atLeast: 5 },
      met: true,
    });
  });

  it('says nothing of a goal where there is none', () => {
    expect(row('figure', '1/s', [1])).to.have.all.keys('measure', 'unit', 'samples', 'value');
  });

  it('knows both kinds of goals, and that a goal reached exactly is met', () => {
    expect([4.99, 5, 5.01].map((value) => isMet({ atLeast: 5 }, value))).to.deep.equal([false, true, true]);
    expect([1.09, 1.1, 1.11].map((value) => isMet({ atMost: 1.1 }, value))).to.deep.equal([true, true, false]);
  });

  it('holds what an operation cost client and server', () => {
    const cpu = [
      { client: 1, server: 10 },
      { client: 3, server: 30 },
      { client: 2, server: 20 },
    ];
    const { cpu: costs } = row('figure', '1/s', [1, 1, 1], { cpu });
    expect(costs?.client.median).to.equal(2);
    expect(costs?.server.median).to.equal(20);
  });

  it('refuses to be one without finite samples', () => {
    expect(() => row('figure', 'x', [])).to.throw(RangeError);
    expect(() => row('figure', 'x', [0 / 0])).to.throw(RangeError);
  });
});

describe('the table', () => {
  it('shows a number with three digits that count', () => {
    const shown = [0, 0.01234, 0.674, 1.2, 12.34, 123.4, 1234.5, 1_000_000, -5.678].map(digits);
    expect(shown).to.deep.equal(['0', '0.012', '0.674', '1.20', '12.3', '123', '1235', '1000000', '-5.68']);
  });

  it('aligns its columns and names what was missed', () => {
    const cpu = [{ client: 150, server: 40 }];
    const lines = table([
      row('appends', 'x', [6], { id: 'P14', goal: { atLeast: 5 } }),
      row('memory', 'x', [1.5], { goal: { atMost: 1.1 } }),
      row('events appended', '1/s', [12_345], { cpu }),
    ]).split('\n');
    expect(lines).to.have.length(4);
    const [headings = '', first = '', second = '', third = ''] = lines;
    const cell = (line: string, heading: string) => line.slice(headings.indexOf(heading)).split('  ')[0];
    expect([first, second, third].map((line) => cell(line, 'measure'))).to.deep.equal([
      'appends',
      'memory',
      'events appended',
    ]);
    expect([first, second].map((line) => cell(line, 'goal'))).to.deep.equal(['>= 5', '<= 1.1']);
    expect([first, second].map((line) => cell(line, 'met'))).to.deep.equal(['yes', 'NO']);
    expect(first.startsWith('P14')).to.equal(true);
    expect(third.trimEnd().split(/\s{2,}/)).to.deep.equal([
      '',
      'events appended',
      '12345',
      '12345 to 12345',
      '1/s',
      '150',
      '40.0',
    ]);
  });
});
