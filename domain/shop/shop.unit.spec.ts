import { expect } from 'chai';
import fc from 'fast-check';
import { fold } from '../core/decider.js';
import { runLawfully } from '../core/decider-laws.js';
import { given } from '../core/specification.js';
import { eventCatalog } from '../event-catalog.js';
import { type ShopCommand, shopDecider } from './shop.js';
import type { ShopEvent } from './shop-events.js';

const metadata = { now: '2026-03-01T09:30:00.000Z' };
const shop_id = '018f3c1a-0000-7000-8000-0000000000b1';
const owner_id = '018f3c1a-0000-7000-8000-000000000001';

const open: ShopCommand = {
  type: 'OpenShop',
  data: { shop_id, owner_id, name: 'Paper & Ink', country: 'GB' },
  metadata,
};
const verify: ShopCommand = { type: 'VerifyShop', data: { by: 'user:admin' }, metadata };
const suspend: ShopCommand = { type: 'SuspendShop', data: { by: 'user:admin', reason: 'complaints' }, metadata };
const created: ShopEvent = {
  type: 'shop.created',
  data: { shop_id, owner_id, name: 'Paper & Ink', country: 'GB' },
};
const verified: ShopEvent = { type: 'shop.verified', data: { shop_id, by: 'user:admin' } };
const suspended: ShopEvent = { type: 'shop.suspended', data: { shop_id, by: 'user:admin', reason: 'complaints' } };

describe('a shop that does not exist', () => {
  it('opens', () => {
    given(shopDecider).when(open).then(created);
  });

  it('is neither verified nor suspended', () => {
    given(shopDecider).when(verify).thenRefused('shop-not-found');
    given(shopDecider).when(suspend).thenRefused('shop-not-found');
  });
});

describe('a shop just opened', () => {
  it('does not open twice', () => {
    given(shopDecider, created).when(open).thenRefused('shop-already-exists');
  });

  it('is verified', () => {
    given(shopDecider, created).when(verify).then(verified);
  });

  it('is suspended before anybody verified it', () => {
    given(shopDecider, created).when(suspend).then(suspended);
  });

  it('is known by its owner', () => {
    expect(fold(shopDecider, [created])).to.deep.equal({ status: 'opened', shop_id, owner_id });
  });
});

describe('a verified shop', () => {
  it('verified again stays as it is', () => {
    given(shopDecider, created, verified).when(verify).thenNothing();
  });

  it('does not open twice', () => {
    given(shopDecider, created, verified).when(open).thenRefused('shop-already-exists');
  });

  it('is suspended', () => {
    given(shopDecider, created, verified).when(suspend).then(suspended);
  });
});

describe('a suspended shop', () => {
  it('suspended again stays as it is', () => {
    given(shopDecider, created, verified, suspended).when(suspend).thenNothing();
  });

  it('does not open anew', () => {
    given(shopDecider, created, suspended).when(open).thenRefused('shop-already-exists');
  });

  it('is reinstated by verifying it', () => {
    given(shopDecider, created, verified, suspended).when(verify).then(verified);
    expect(fold(shopDecider, [created, verified, suspended, verified])).to.include({ status: 'verified', owner_id });
  });
});

describe('any sequence of commands to a shop', () => {
  const command = fc.constantFrom(open, verify, suspend);

  it('obeys the laws of a decider, and every command may come twice', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
        runLawfully(shopDecider, eventCatalog, commands, () => true);
      }),
    );
  });

  it('ends in the status that the last of its events names', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
        const { state, events } = runLawfully(shopDecider, eventCatalog, [open, ...commands]);
        const names = { 'shop.created': 'opened', 'shop.verified': 'verified', 'shop.suspended': 'suspended' } as const;
        expect(state.status).to.equal(names[events.at(-1)?.type ?? 'shop.created']);
      }),
    );
  });
});
