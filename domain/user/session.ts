import type { Command, Decider } from '../core/decider.js';
import { DomainError } from '../core/domain-error.js';
import type { SessionEvent } from './session-events.js';

export type StartSession = Command<
  'StartSession',
  { readonly session_id: string; readonly user_id: string; readonly method: 'password' }
>;
/** `counter` is the one that the new refresh token will carry: one more than that of the token presented. */
export type RefreshSession = Command<'RefreshSession', { readonly counter: number }>;
export type RevokeSession = Command<
  'RevokeSession',
  { readonly reason: 'logged_out' | 'password_changed' | 'erased' | 'admin' }
>;

export type SessionCommand = StartSession | RefreshSession | RevokeSession;

interface ActiveSession {
  readonly status: 'active';
  readonly session_id: string;
  readonly user_id: string;
  /** Of the newest refresh token; the one issued at the log-in carries 0. */
  readonly counter: number;
}

export type SessionState =
  | { readonly status: 'unknown' }
  | ActiveSession
  | { readonly status: 'ended'; readonly session_id: string; readonly user_id: string };

function start({ data }: StartSession, state: SessionState): SessionEvent[] {
  if (state.status === 'unknown') {
    return [
      { type: 'session.started', data: { session_id: data.session_id, user_id: data.user_id, method: data.method } },
    ];
  }
  if (state.user_id !== data.user_id) {
    throw new DomainError('session-already-exists', 'This session belongs to somebody else.');
  }
  if (state.status === 'ended') throw new DomainError('session-ended', 'This session has ended.');
  return [];
}

/** A session is one family of refresh tokens, so that the family bears the session's own id. */
function refresh({ data }: RefreshSession, state: SessionState): SessionEvent[] {
  if (state.status !== 'active') throw new DomainError('session-ended', 'This session has ended.');
  const { session_id, user_id, counter } = state;
  if (data.counter !== counter + 1) {
    return [{ type: 'session.revoked', data: { session_id, user_id, reason: 'refresh_reused' } }];
  }
  return [{ type: 'session.refreshed', data: { session_id, user_id, family: session_id, counter: data.counter } }];
}

/**
 * A log-in and its refresh tokens. A refresh token used twice means that somebody copied it: the session is revoked, and
 * that is a fact which others react to, not a refusal.
 */
export const sessionDecider: Decider<SessionState, SessionCommand, SessionEvent> = {
  initialState: { status: 'unknown' },

  decide(command, state) {
    switch (command.type) {
      case 'StartSession':
        return start(command, state);
      case 'RefreshSession':
        return refresh(command, state);
      case 'RevokeSession': {
        if (state.status !== 'active') return [];
        const { session_id, user_id } = state;
        return [{ type: 'session.revoked', data: { session_id, user_id, reason: command.data.reason } }];
      }
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'session.started':
        return { status: 'active', session_id: event.data.session_id, user_id: event.data.user_id, counter: 0 };
      case 'session.refreshed':
        return state.status === 'active' ? { ...state, counter: event.data.counter } : state;
      case 'session.revoked':
        return { status: 'ended', session_id: event.data.session_id, user_id: event.data.user_id };
      default:
        event satisfies never;
        return state;
    }
  },
};
