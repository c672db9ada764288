import { expect } from 'chai';
import { clientAddress, limitOf, networkOf } from './rate-limit-key.js';
import type { Route } from './routes.js';

describe('the address of a client', () => {
  it('is the other end of the connection, whatever the client says', () => {
    expect(clientAddress('10.0.0.1', undefined, 0)).to.equal('10.0.0.1');
    expect(clientAddress('10.0.0.1', '1.2.3.4', 0)).to.equal('10.0.0.1');
  });

  it('is what the outermost of our own proxies saw', () => {
    expect(clientAddress('10.0.0.1', '1.2.3.4', 1)).to.equal('1.2.3.4');
    expect(clientAddress('10.0.0.1', '6.6.6.6, 1.2.3.4', 1)).to.equal('1.2.3.4');
    expect(clientAddress('10.0.0.1', '6.6.6.6, 1.2.3.4,10.0.0.2', 2)).to.equal('1.2.3.4');
  });

  it('is the peer where there are fewer hops than there should be, or none is an address', () => {
    expect(clientAddress('10.0.0.1', undefined, 1)).to.equal('10.0.0.1');
    expect(clientAddress('10.0.0.1', '1.2.3.4', 2)).to.equal('10.0.0.1');
    expect(clientAddress('10.0.0.1', 'unknown', 1)).to.equal('10.0.0.1');
    expect(clientAddress(undefined, undefined, 0)).to.equal('unknown');
  });

  it('counts as itself, an IPv6 one as its /64', () => {
    expect(networkOf('1.2.3.4')).to.equal('1.2.3.4');
    expect(networkOf('::ffff:1.2.3.4')).to.equal('1.2.3.4');
    expect(networkOf('2001:db8:1:2:3:4:5:6')).to.equal('2001:db8:1:2::/64');
    expect(networkOf('2001:0DB8:1:2::99')).to.equal('2001:db8:1:2::/64');
    expect(networkOf('::1')).to.equal('0:0:0:0::/64');
    expect(networkOf('fe80::1%eth0')).to.equal('fe80:0:0:0::/64');
    expect(networkOf('unknown')).to.equal('unknown');
  });
});

describe('the limit of a request', () => {
  const route: Route = { method: 'GET', path: '/a', service: 'read-api', auth: 'optional', timeoutMs: 1 };
  const ada = { userId: 'u1', roles: ['customer'] };

  it('is counted by user, else by address', () => {
    expect(limitOf(route, ada, '1.2.3.4')).to.deep.equal({ limit: 'default', key: 'u1' });
    expect(limitOf(route, 'anonymous', '2001:db8::1')).to.deep.equal({ limit: 'default', key: '2001:db8:0:0::/64' });
  });

  it('is the route’s own where it has one', () => {
    expect(limitOf({ ...route, limit: 'payments' }, ada, '')).to.deep.equal({ limit: 'payments', key: 'u1' });
    expect(limitOf({ ...route, limit: 'none' }, ada, '')).to.equal(undefined);
  });

  it('is one for all routes for an importer', () => {
    const importer = { userId: 'u2', roles: ['seller', 'importer'] };
    expect(limitOf({ ...route, limit: 'products' }, importer, '')).to.deep.equal({ limit: 'importer', key: 'u2' });
  });
});
