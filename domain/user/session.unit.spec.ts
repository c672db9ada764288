import { expect } from 'chai';
import fc from 'fast-check';
import { fold } from '../core/decider.js';
import { runLawfully } from '../core/decider-laws.js';
import { given } from '../core/specification.js';
import { eventCatalog } from '../event-catalog.js';
import { type RevokeSession, type SessionCommand, sessionDecider } from './session.js';
import type { SessionEvent } from './session-events.js';

const metadata = { now: '2026-03-01T09:30:00.000Z' };
const session_id = '018f3c1a-0000-7000-8000-00000000000a';
const user_id = '018f3c1a-0000-7000-8000-000000000001';
const stranger = '018f3c1a-0000-7000-8000-000000000002';

const start = (by = user_id): SessionCommand => ({
  type: 'StartSession',
  data: { session_id, user_id: by, method: 'password' },
  metadata,
});
const refresh = (counter: number): SessionCommand => ({ type: 'RefreshSession', data: { counter }, metadata });
const revoke = (reason: RevokeSession['data']['reason'] = 'logged_out'): SessionCommand => ({
  type: 'RevokeSession',
  data: { reason },
  metadata,
});
const started: SessionEvent = { type: 'session.started', data: { session_id, user_id, method: 'password' } };
const refreshed = (counter: number): SessionEvent => ({
  type: 'session.refreshed',
  data: { session_id, user_id, family: session_id, counter },
});
const revoked = (reason: Extract<SessionEvent, { type: 'session.revoked' }>['data']['reason']): SessionEvent => ({
  type: 'session.revoked',
  data: { session_id, user_id, reason },
});

describe('a session that was never started', () => {
  it('starts', () => {
    given(sessionDecider).when(start()).then(started);
  });

  it('is not refreshed', () => {
    given(sessionDecider).when(refresh(1)).thenRefused('session-ended');
  });

  it('has nothing to revoke', () => {
    given(sessionDecider).when(revoke()).thenNothing();
  });
});

describe('an active session', () => {
  it('started again by the same user stays as it is', () => {
    given(sessionDecider, started).when(start()).thenNothing();
  });

  it('is not started by somebody else', () => {
    given(sessionDecider, started).when(start(stranger)).thenRefused('session-already-exists');
  });

  it('is refreshed with the next counter, one after the other', () => {
    given(sessionDecider, started).when(refresh(1)).then(refreshed(1));
    given(sessionDecider, started, refreshed(1)).when(refresh(2)).then(refreshed(2));
  });

  for (const counter of [0, 1, 2, 4, -1, 1.5, Number.NaN]) {
    it(`is revoked when counter ${counter} comes in place of 3: a token was used twice`, () => {
      given(sessionDecider, started, refreshed(1), refreshed(2)).when(refresh(counter)).then(revoked('refresh_reused'));
    });
  }

  for (const reason of ['logged_out', 'password_changed', 'erased', 'admin'] as const) {
    it(`is revoked: ${reason}`, () => {
      given(sessionDecider, started).when(revoke(reason)).then(revoked(reason));
    });
  }
});

describe('an ended session', () => {
  it('is not refreshed, not even with the next counter', () => {
    given(sessionDecider, started, revoked('logged_out')).when(refresh(1)).thenRefused('session-ended');
    given(sessionDecider, started, refreshed(1), revoked('refresh_reused'))
      .when(refresh(2))
      .thenRefused('session-ended');
  });

  it('is not started again', () => {
    given(sessionDecider, started, revoked('logged_out')).when(start()).thenRefused('session-ended');
  });

  it('does not tell a stranger that it has ended', () => {
    given(sessionDecider, started, revoked('admin')).when(start(stranger)).thenRefused('session-already-exists');
  });

  it('has nothing to revoke', () => {
    given(sessionDecider, started, revoked('logged_out')).when(revoke('admin')).thenNothing();
  });

  it('stays ended whatever follows in the log', () => {
    expect(fold(sessionDecider, [started, revoked('admin'), refreshed(1)]).status).to.equal('ended');
  });
});

describe('any sequence of commands to a session', () => {
  const command: fc.Arbitrary<SessionCommand> = fc.oneof(
    fc.constantFrom(user_id, stranger).map(start),
    fc.integer({ min: -1, max: 4 }).map(refresh),
    fc.constantFrom('logged_out', 'password_changed', 'erased', 'admin').map(revoke),
  );

  it('obeys the laws of a decider, and all but a refresh may come twice', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
        runLawfully(sessionDecider, eventCatalog, commands, ({ type }) => type !== 'RefreshSession');
      }),
    );
  });

  it('never issues a counter twice, and nothing after the end', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
        const { events } = runLawfully(sessionDecider, eventCatalog, [start(), ...commands]);
        const counters = events.flatMap((event) => (event.type === 'session.refreshed' ? [event.data.counter] : []));
        expect(counters).to.deep.equal(counters.map((_, index) => index + 1));
        const end = events.findIndex((event) => event.type === 'session.revoked');
        if (end !== -1) expect(end).to.equal(events.length - 1);
      }),
    );
  });
});
