import type { Command, Decider } from '../core/decider.js';
import { DomainError } from '../core/domain-error.js';
import type { ShopEvent } from './shop-events.js';

export type OpenShop = Command<
  'OpenShop',
  { readonly shop_id: string; readonly owner_id: string; readonly name: string; readonly country: string }
>;
export type VerifyShop = Command<'VerifyShop', { readonly by: string }>;
export type SuspendShop = Command<'SuspendShop', { readonly by: string; readonly reason: string }>;

export type ShopCommand = OpenShop | VerifyShop | SuspendShop;

interface KnownShop {
  readonly status: 'opened' | 'verified' | 'suspended';
  readonly shop_id: string;
  readonly owner_id: string;
}

export type ShopState = { readonly status: 'unknown' } | KnownShop;

/** @throws DomainError `shop-not-found` */
function known(state: ShopState): KnownShop {
  if (state.status === 'unknown') throw new DomainError('shop-not-found', 'There is no such shop.');
  return state;
}

/** A seller's shop. Verifying a suspended one reinstates it. */
export const shopDecider: Decider<ShopState, ShopCommand, ShopEvent> = {
  initialState: { status: 'unknown' },

  decide(command, state) {
    switch (command.type) {
      case 'OpenShop': {
        if (state.status !== 'unknown') throw new DomainError('shop-already-exists', 'This shop is already open.');
        const { shop_id, owner_id, name, country } = command.data;
        return [{ type: 'shop.created', data: { shop_id, owner_id, name, country } }];
      }
      case 'VerifyShop': {
        const { shop_id, status } = known(state);
        return status === 'verified' ? [] : [{ type: 'shop.verified', data: { shop_id, by: command.data.by } }];
      }
      case 'SuspendShop': {
        const { shop_id, status } = known(state);
        const { by, reason } = command.data;
        return status === 'suspended' ? [] : [{ type: 'shop.suspended', data: { shop_id, by, reason } }];
      }
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'shop.created':
        return { status: 'opened', shop_id: event.data.shop_id, owner_id: event.data.owner_id };
      case 'shop.verified':
        return state.status === 'unknown' ? state : { ...state, status: 'verified' };
      case 'shop.suspended':
        return state.status === 'unknown' ? state : { ...state, status: 'suspended' };
      default:
        event satisfies never;
        return state;
    }
  },
};
