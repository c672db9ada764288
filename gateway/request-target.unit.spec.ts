import { expect } from 'chai';
import fc from 'fast-check';
import { HttpError } from '../runtime/http/http-error.js';
import { parseTarget } from './request-target.js';

function codeOf(target: string): string {
  try {
    parseTarget(target);
    return 'accepted';
  } catch (error) {
    return error instanceof HttpError ? error.code : `threw ${String(error)}`;
  }
}

describe('a request target', () => {
  it('is split into path and query', () => {
    expect(parseTarget('/api/v1/orders')).to.deep.equal({ path: '/api/v1/orders', query: '' });
    expect(parseTarget('/api/v1/products?search=a%20b&limit=2')).to.deep.equal({
      path: '/api/v1/products',
      query: '?search=a%20b&limit=2',
    });
    expect(parseTarget('/a?x=//..;%2e%2e&y[$ne]=?')).to.deep.equal({ path: '/a', query: '?x=//..;%2e%2e&y[$ne]=?' });
    expect(parseTarget('/caf%C3%A9/a.b/..c/...')).to.deep.equal({ path: '/caf%C3%A9/a.b/..c/...', query: '' });
  });

  for (const target of [
    '',
    '*',
    'orders',
    'http://127.0.0.1/api/v1/orders',
    '//api/v1/orders',
    '/api//v1/orders',
    '/api/v1/orders//',
    '/api/v1/../v1/orders',
    '/api/v1/./orders',
    '/api/v1/orders/..',
    '/api/v1/orders/.',
    '/api/v1/%2e%2e/orders',
    '/api/v1/%2E%2e/orders',
    '/api/v1/.%2e/orders',
    '/api/v1/orders%2f1',
    '/api/v1/orders%2F1',
    '/api/v1/orders%5c1',
    '/api/v1/orders\\1',
    '/api/v1/orders;a=b',
    '/api/v1/orders%3Ba=b',
    '/api/v1/orders%00',
    '/api/v1/orders%0d%0aX:1',
    '/api/v1/orders%7f',
    '/api/v1/orders%252e',
    '/api/v1/orders%',
    '/api/v1/orders%g1',
    '/api/v1/orders%C3',
    '/api/v1/orders%ff',
    '/api/v1/orders#x',
    '/api/v1/orders?a#x',
    '/api/v1/orders\0',
    '/api/v1/ orders',
    '/api/v1/orders?a b',
    '/api/v1/é',
    '/api/v1/orders?é',
    '/api/v1/orders"',
  ]) {
    it(`is refused as ${JSON.stringify(target)}`, () => {
      expect(codeOf(target)).to.equal('malformed-url');
    });
  }

  it('is refused over 8 kB', () => {
    expect(codeOf(`/${'a'.repeat(8_191)}`)).to.equal('accepted');
    expect(codeOf(`/${'a'.repeat(8_192)}`)).to.equal('url-too-long');
  });

  it('never lets a path through that a URL parser or a decoder reads differently', () => {
    const piece = fc.constantFrom(
      '/',
      '.',
      '..',
      '%',
      '2',
      'e',
      'f',
      '5',
      'c',
      'E',
      '%2e',
      '%2f',
      '%C3%A9',
      'a',
      ';',
      '\\',
      '?',
      '#',
      'é',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const target = `/${pieces.join('')}`;
        if (codeOf(target) !== 'accepted') return;
        const { path } = parseTarget(target);
        expect(new URL(path, 'http://host').pathname).to.equal(path);
        const decoded = decodeURIComponent(path);
        expect(decoded.split('/')).to.have.length(path.split('/').length);
        expect(decoded.split('/')).not.to.include.oneOf(['.', '..']);
        expect(decoded).not.to.match(/[;\\%\0]/);
      }),
      { numRuns: 2_000 },
    );
  });
});
