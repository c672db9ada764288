import { expect } from 'chai';
import fc from 'fast-check';
import { runLawfully } from '../core/decider-laws.js';
import { given } from '../core/specification.js';
import { eventCatalog } from '../event-catalog.js';
import { type EmailClaimCommand, emailClaimDecider } from './email-claim.js';
import type { EmailClaimEvent } from './email-claim-events.js';

const metadata = { now: '2026-03-01T09:30:00.000Z' };
const anna = '018f3c1a-0000-7000-8000-000000000001';
const ben = '018f3c1a-0000-7000-8000-000000000002';

const claim = (user_id: string): EmailClaimCommand => ({ type: 'ClaimEmail', data: { user_id }, metadata });
const release = (user_id: string): EmailClaimCommand => ({ type: 'ReleaseEmail', data: { user_id }, metadata });
const claimed = (user_id: string): EmailClaimEvent => ({ type: 'email.claimed', data: { user_id } });
const released = (user_id: string): EmailClaimEvent => ({ type: 'email.released', data: { user_id } });

describe('a free e-mail address', () => {
  it('is claimed', () => {
    given(emailClaimDecider).when(claim(anna)).then(claimed(anna));
  });

  it('has nothing to release', () => {
    given(emailClaimDecider).when(release(anna)).thenNothing();
  });

  it('is claimed anew after a release, by the same user or another', () => {
    given(emailClaimDecider, claimed(anna), released(anna)).when(claim(ben)).then(claimed(ben));
    given(emailClaimDecider, claimed(anna), released(anna)).when(claim(anna)).then(claimed(anna));
  });
});

describe('a claimed e-mail address', () => {
  it('claimed again by the same user stays as it is', () => {
    given(emailClaimDecider, claimed(anna)).when(claim(anna)).thenNothing();
  });

  it('is not given to another user', () => {
    given(emailClaimDecider, claimed(anna)).when(claim(ben)).thenRefused('email-taken');
    given(emailClaimDecider, claimed(anna), released(anna), claimed(ben)).when(claim(anna)).thenRefused('email-taken');
  });

  it('is released by its user', () => {
    given(emailClaimDecider, claimed(anna)).when(release(anna)).then(released(anna));
  });

  it('is not released by a late repeat of an earlier user', () => {
    given(emailClaimDecider, claimed(anna), released(anna), claimed(ben)).when(release(anna)).thenNothing();
  });
});

describe('any sequence of commands to an e-mail address', () => {
  const command: fc.Arbitrary<EmailClaimCommand> = fc.oneof(
    fc.constantFrom(anna, ben).map(claim),
    fc.constantFrom(anna, ben).map(release),
  );

  it('obeys the laws of a decider, and every command may come twice', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
        runLawfully(emailClaimDecider, eventCatalog, commands, () => true);
      }),
    );
  });

  it('has one owner at a time: claims and releases alternate, each release by who claimed', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
        const { events } = runLawfully(emailClaimDecider, eventCatalog, commands);
        for (const [index, event] of events.entries()) {
          expect(event.type).to.equal(index % 2 === 0 ? 'email.claimed' : 'email.released');
          if (index % 2 === 1) expect(event.data.user_id).to.equal(events[index - 1]?.data.user_id);
        }
      }),
    );
  });
});
