import { CommandError, code } from '../errors.js';

const metacharacters = new Set('\\^$.|?*+()[]{}');
const asciiSpace = ' \\t-\\r';
const verticalSpace = '\\n-\\r\\x85\\u2028\\u2029';

function refuse(reason: string): CommandError {
  return new CommandError(code.badValue, `Regular expression is invalid or not supported here: ${reason}`);
}

function translateEscape(next: string, inClass: boolean): string {
  if (next === '') throw refuse('\\ at end of pattern');
  if (next === 's') return inClass ? asciiSpace : `[${asciiSpace}]`;
  if (next === 'S' && !inClass) return `[^${asciiSpace}]`;
  if (next === 'v') return inClass ? verticalSpace : `[${verticalSpace}]`;
  if (next === 'A' && !inClass) return '^';
  if (next === 'z' && !inClass) return '$';
  if (next === 'a') return '\\x07';
  if (next === 'e') return '\\x1b';
  if (/[dDwWtnrfbB0-9]/.test(next)) return `\\${next}`;
  if (/[A-Za-z]/.test(next)) throw refuse(`\\${next}`);
  return /[$()*+./?[\\\]^{|}-]/.test(next) ? (next === '-' && !inClass ? '-' : `\\${next}`) : next;
}

/** The character of `\x41` or `\x{1F600}`, whose digits begin here, and how long they are. */
function hexCharacter(source: string, at: number): { text: string; length: number } {
  const [digits, braced, two] = /^\{([0-9a-f]{1,6})\}|^([0-9a-f]{2})/i.exec(source.slice(at, at + 8)) ?? [];
  const point = Number.parseInt(braced ?? two ?? '', 16);
  const isCharacter = point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
  if (digits === undefined || !isCharacter) throw refuse('\\x without two digits, or without a character in braces');
  const text = point <= 0xff ? `\\x${point.toString(16).padStart(2, '0')}` : String.fromCodePoint(point);
  return { text, length: digits.length };
}

/**
 * PCRE's meaning in JavaScript's words: `.`, `^`, `$` and `\s` know only the newlines and spaces PCRE knows. Without its
 * own `m` flag `^` and `$` are the ends of the text; negated lookarounds would match inside of a surrogate pair.
 */
function translate(source: string, multiline: boolean, dotAll: boolean): string {
  let out = '';
  let inClass = false;
  for (let at = 0; at < source.length; at++) {
    const char = source[at] ?? '';
    if (char === '\\') {
      at++;
      if (source[at] === 'x') {
        const { text, length } = hexCharacter(source, at + 1);
        out += text;
        at += length;
      } else out += translateEscape(source[at] ?? '', inClass);
    } else if (inClass) {
      if (char === '[' && /[:.=]/.test(source[at + 1] ?? '')) throw refuse('POSIX classes');
      if (char === ']') inClass = false;
      out += char === '[' ? '\\[' : char;
    } else if (char === '[') {
      inClass = true;
      out += char;
      if (source[at + 1] === '^') out += source[++at];
      if (source[at + 1] === ']') {
        at++;
        out += '\\]';
      }
    } else if (char === '.') {
      out += dotAll ? '[\\s\\S]' : '[^\\n]';
    } else if (char === '^') {
      out += multiline ? '(?:^|(?<=\\n)(?!$))' : '^';
    } else if (char === '$') {
      out += multiline ? '(?=\\n|$)' : '(?=\\n?$)';
    } else if (char === '{' && !/^\{\d+(?:,\d*)?\}/.test(source.slice(at))) {
      out += '\\{';
    } else if (char === '(' && source[at + 1] === '?' && !/^\(\?(?:[:=!]|<[=!A-Za-z])/.test(source.slice(at))) {
      throw refuse(source.slice(at, at + 4));
    } else if (/[*+?}]/.test(char) && source[at + 1] === '+') {
      throw refuse('possessive quantifiers');
    } else {
      out += char;
    }
  }
  return out;
}

/**
 * A reference to a group that took no part matches nothing in PCRE and the empty text in JavaScript, and a lookbehind has
 * no end to its length in JavaScript alone: what may be either is refused.
 */
function checkGroups(source: string): void {
  const bare = source.replace(/\\[^1-9]/g, '').replace(/\[[^\]]*\]/g, '');
  if (/\(\?<[=!][^)]*[*+?{]/.test(bare)) throw refuse('a lookbehind of no fixed length');
  const isAlwaysThere = !/\||\)[?*{]|\(\?/.test(bare);
  for (const { 1: number, index } of bare.matchAll(/\\([1-9]\d?)/g)) {
    const closed = bare.slice(0, index).split(')').length - 1;
    if (!isAlwaysThere || Number(number) > closed) throw refuse('a reference to a group that may take no part');
  }
}

/**
 * Compiles a pattern and options as `$regex` has them.
 *
 * @throws CommandError 2 for options other than i, m, s, u and for PCRE syntax that JavaScript does not have
 */
export function compileRegex(source: string, options: string): RegExp {
  const bad = [...options].find((option) => !'imsu'.includes(option));
  if (bad !== undefined) throw new CommandError(code.badValue, `the $regex option '${bad}' is not supported`);
  const inline = /^\(\?([ims]+)\)/.exec(source);
  const flags = options + (inline?.[1] ?? '');
  const body = inline === null ? source : source.slice(inline[0].length);
  checkGroups(body);
  const pattern = translate(body, flags.includes('m'), flags.includes('s'));
  const caseless = flags.includes('i') ? 'i' : '';
  for (const unicode of ['u', '']) {
    try {
      return new RegExp(pattern, caseless + unicode);
    } catch {
      // patterns such as `a{` are legal only without the u flag
    }
  }
  throw refuse(source);
}

/** The literal text that every match of an anchored pattern begins with; undefined when there is none. */
export function literalPrefix(source: string, options: string): string | undefined {
  if (/[imx]/.test(options)) return undefined;
  const start = source.startsWith('^') ? 1 : source.startsWith('\\A') ? 2 : 0;
  if (start === 0 || source.includes('|')) return undefined;
  let prefix = '';
  let at = start;
  while (at < source.length) {
    let char = source[at] ?? '';
    let width = 1;
    if (char === '\\') {
      char = source[at + 1] ?? '';
      width = 2;
      if (/[A-Za-z0-9]/.test(char) || char === '') break;
    } else if (metacharacters.has(char)) {
      break;
    }
    if ('?*{'.includes(source[at + width] ?? ' ')) break;
    prefix += char;
    at += width;
  }
  // a surrogate pair cut in two would not encode as the text it begins
  return prefix === '' || /[\ud800-\udbff]$/.test(prefix) ? undefined : prefix;
}
