// Regular expressions in filters: https://www.mongodb.com/docs/v7.0/reference/operator/query/regex/
// MongoDB uses PCRE2. The patterns that are generated mean the same in JavaScript but for line ends: there `.` stops at
// "\n" alone, `^` and `$` under `m` look for "\n" alone, and `$` without `m` also stands before a last "\n". Behind a last
// "\n" no line begins: https://www.pcre.org/current/doc/html/pcre2pattern.html (circumflex and dollar).
import type { BSONRegExp, BSONSymbol } from 'bson';
import { as, type TypeName, typeOf, type Value } from './values.js';

/** Strings and symbols that the pattern finds something in, and a regular expression that is the same one. */
export function regexMatches({ pattern, options }: BSONRegExp, value: Value): boolean {
  const type: TypeName = typeOf(value);
  if (type === 'regex') {
    const other = as<BSONRegExp>(value);
    return other.pattern === pattern && other.options === options;
  }
  if (type !== 'string' && type !== 'symbol') return false;
  return inJavaScript(pattern, options).test(typeof value === 'string' ? value : as<BSONSymbol>(value).value);
}

function inJavaScript(pattern: string, options: string): RegExp {
  const lines = options.includes('m');
  const stand: Readonly<Record<string, string>> = {
    '.': options.includes('s') ? '[^]' : '[^\\n]',
    '^': lines ? '(?:^|(?<=\\n)(?=[^]))' : '^',
    $: lines ? '(?=\\n|$)' : '(?=\\n?$)',
  };
  let inClass = false;
  const source = pattern.replace(/\\.|[[\].^$]/gs, (part) => {
    if (part === '[') inClass = true;
    if (part === ']') inClass = false;
    return inClass ? (part === '.' ? '\\.' : part) : (stand[part] ?? part);
  });
  return new RegExp(source, options.includes('i') ? 'iu' : 'u');
}
