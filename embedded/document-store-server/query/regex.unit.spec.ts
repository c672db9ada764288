import { expect } from 'chai';
import { CommandError } from '../errors.js';
import { compileRegex, literalPrefix } from './regex.js';

describe('a regular expression', () => {
  it('means what PCRE means where JavaScript differs', () => {
    expect(compileRegex('^b$', 'm').test('a\nb\nc')).to.equal(true);
    expect(compileRegex('^b', 'm').test('a\u2028b')).to.equal(false);
    expect(compileRegex('a.b', '').test('a\rb')).to.equal(true);
    expect(compileRegex('a$', '').test('a\n')).to.equal(true);
    expect(compileRegex('a\\sb', '').test('a\u00a0b')).to.equal(false);
    expect(compileRegex('(?i)ab', '').test('AB')).to.equal(true);
    expect(compileRegex('^.$', '').test('😀')).to.equal(true);
    expect(compileRegex('[.$^]', '').test('$')).to.equal(true);
    expect(compileRegex('\\Aa\\z', '').test('a\n')).to.equal(false);
    expect(compileRegex('a\\-b\\/', '').test('a-b/')).to.equal(true);
    expect(compileRegex('^$', 'm').test('a\n')).to.equal(false);
    expect(compileRegex('^$', 'm').test('a\n\nb')).to.equal(true);
    expect(compileRegex('^\\v[\\v]$', '').test('\f\u2028')).to.equal(true);
    expect(compileRegex('^\\x41\\x{41}[\\x{1F600}]$', '').test('AA😀')).to.equal(true);
    expect(compileRegex('^\\x{2e}$', '').test('x')).to.equal(false);
    expect(compileRegex('^.{a,{$', '').test('😀{a,{')).to.equal(true);
    expect(compileRegex('^(a+)-\\1$', '').test('aa-aa')).to.equal(true);
    expect(compileRegex('(?<=ab|c)d', '').test('abd')).to.equal(true);
    expect(compileRegex('^a{2}b{1,}c{0,1}$', '').test('aab')).to.equal(true);
  });

  it('is refused where JavaScript has no equal', () => {
    for (const pattern of [
      '(?>a)',
      'a++',
      '\\Qa\\E',
      '[[:alpha:]]',
      '(',
      '\\',
      '\\u0041',
      '\\x4',
      '\\x{d800}',
      'a{2}+',
      '(a)?\\1b',
      '(?:(a)|b)\\1',
      '\\1(a)',
      '(a)\\2',
      '(?<=a*)b',
    ]) {
      expect(() => compileRegex(pattern, ''), pattern)
        .to.throw(CommandError)
        .with.property('code', 2);
    }
    expect(() => compileRegex('a', 'x')).to.throw(CommandError);
  });

  it('tells the text that every match begins with', () => {
    expect(literalPrefix('^red sho', '')).to.equal('red sho');
    expect(literalPrefix('^a\\.b.*', '')).to.equal('a.b');
    expect(literalPrefix('^ab*', '')).to.equal('a');
    expect(literalPrefix('^ab+', '')).to.equal('ab');
    for (const [pattern, options] of [
      ['ab', ''],
      ['^ab', 'i'],
      ['^ab', 'm'],
      ['^a|b', ''],
      ['^(ab)', ''],
      ['^a?', ''],
    ] as const) {
      expect(literalPrefix(pattern, options), pattern).to.equal(undefined);
    }
  });
});
