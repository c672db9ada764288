import type { Command, Decider } from '../core/decider.js';
import { DomainError } from '../core/domain-error.js';
import type { EmailClaimEvent } from './email-claim-events.js';

export type ClaimEmail = Command<'ClaimEmail', { readonly user_id: string }>;
export type ReleaseEmail = Command<'ReleaseEmail', { readonly user_id: string }>;

export type EmailClaimCommand = ClaimEmail | ReleaseEmail;

export interface EmailClaimState {
  /** Who has the address now; null when it is free. */
  readonly user_id: string | null;
}

/** The uniqueness of one e-mail address: at most one user has it at a time. */
export const emailClaimDecider: Decider<EmailClaimState, EmailClaimCommand, EmailClaimEvent> = {
  initialState: { user_id: null },

  decide(command, state) {
    const { user_id } = command.data;
    switch (command.type) {
      case 'ClaimEmail':
        if (state.user_id === user_id) return [];
        if (state.user_id !== null) throw new DomainError('email-taken', 'This e-mail address is already in use.');
        return [{ type: 'email.claimed', data: { user_id } }];
      case 'ReleaseEmail':
        // Somebody else's claim stays: a release repeated late must not free an address that has a new owner.
        return state.user_id === user_id ? [{ type: 'email.released', data: { user_id } }] : [];
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'email.claimed':
        return { user_id: event.data.user_id };
      case 'email.released':
        return { user_id: null };
      default:
        event satisfies never;
        return state;
    }
  },
};
