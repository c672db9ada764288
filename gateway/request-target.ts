import { HttpError } from '../runtime/http/http-error.js';

const maxLength = 8_192;
const pathForm = /^\/[A-Za-z0-9\-._~!$&'()*+,=:@%/]*$/;
const queryForm = /^[\x21\x24-\x7e]*$/;
/** Dots, slashes, backslashes, semicolons, percent signs and controls gain a second meaning when decoded again. */
const ambiguousEscape = /%(?![2-9A-Fa-f][0-9A-Fa-f])|%(?:2[5EFef]|3[Bb]|5[Cc]|7[Ff])/;
const dotSegment = /\/\.{1,2}(?:\/|$)/;

const malformed = () => new HttpError(400, 'malformed-url', 'The address is not well formed.');

function decodes(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Splits a request target into path and query, and lets through only what everybody behind the gateway reads alike.
 *
 * @param target as it stands in the request line
 * @returns the path, and the query with its question mark or ''
 * @throws HttpError 400 `malformed-url`, 414 `url-too-long`
 */
export function parseTarget(target: string): { path: string; query: string } {
  if (target.length > maxLength) throw new HttpError(414, 'url-too-long', 'The address is too long.');
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? '' : target.slice(mark);
  if (!pathForm.test(path) || path.includes('//') || dotSegment.test(path) || !queryForm.test(query.slice(1))) {
    throw malformed();
  }
  if (path.includes('%') && (ambiguousEscape.test(path) || !decodes(path))) throw malformed();
  return { path, query };
}
