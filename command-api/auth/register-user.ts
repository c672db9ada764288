import { DomainError } from '../../domain/core/domain-error.js';
import { emailClaimDecider } from '../../domain/user/email-claim.js';
import { emailClaimStream } from '../../domain/user/email-claim-events.js';
import type { Role, UserEvent } from '../../domain/user/user-events.js';
import { deriveId } from '../../runtime/ids.js';
import type { PersonalData } from '../../runtime/personal-data/personal-data.js';
import { userAggregate } from '../aggregates.js';
import type { Accepted, CommandContext, CommandHandler } from '../handle-command.js';
import { emailHmacOf } from './email.js';
import { hashPassword, verifyPassword } from './passwords.js';

export const emailClaimAggregate = { stream: emailClaimStream, decider: emailClaimDecider };

export interface RegisterDeps {
  readonly commands: CommandHandler;
  readonly personalData: PersonalData;
  /** 32 bytes in hexadecimal */
  readonly hmacSecret: string;
  readonly clock: () => Date;
}

export interface Registration {
  /** As the schema `email` gives it: normalised. */
  readonly email: string;
  readonly password: string;
  readonly name?: string | undefined;
  readonly phone?: string | undefined;
  readonly roles: readonly Role[];
}

export interface RegisteredUser {
  readonly user_id: string;
  readonly roles: readonly Role[];
  readonly accepted: Pick<Accepted, 'revision' | 'position' | 'repeated'>;
}

const emailTaken = () => new DomainError('email-taken', 'This e-mail address is already in use.');

function isRefusal(error: unknown, code: DomainError['code']): boolean {
  return error instanceof DomainError && error.code === code;
}

/**
 * Whose user stream the address leads to. The claim is written before the user: where a registration ended between the
 * two, the address has an owner that does not exist yet, and the next one who registers it takes that id over.
 */
async function claimEmail(
  deps: RegisterDeps,
  emailHmac: string,
  wanted: string,
  context: CommandContext,
): Promise<string> {
  const { commands, clock } = deps;
  const metadata = { now: clock().toISOString() };
  const claim = { type: 'ClaimEmail', data: { user_id: wanted }, metadata } as const;
  try {
    await commands.handle(emailClaimAggregate, emailHmac, claim, { ...context, creates: true });
    return wanted;
  } catch (error) {
    if (!isRefusal(error, 'email-taken')) throw error;
  }
  const { state } = await commands.load(emailClaimAggregate, emailHmac);
  if (state.user_id === null) throw emailTaken();
  const owner = await commands.load(userAggregate, state.user_id, true);
  // A repeat under the same Idempotency-Key may be the very registration that took the id over.
  const mayBeRepeat = context.requestHash !== undefined;
  if (owner.state.status !== 'unknown' && !mayBeRepeat) throw emailTaken();
  return state.user_id;
}

/** The request hash leaves the password out, so that the log holds nothing fast to guess it by: its own hash tells. */
async function confirmSamePassword(personalData: PersonalData, events: readonly UserEvent[], password: string) {
  const created = events.find((event) => event.type === 'user.created');
  const personal = created?.data.personal;
  const opened = personal === undefined ? undefined : await personalData.open(personal);
  const same = opened?.password_hash !== undefined && (await verifyPassword(opened.password_hash, password));
  if (!same) throw new DomainError('idempotency-key-reused', 'This Idempotency-Key was used for another request.');
}

/**
 * Registers a user with any roles: the HTTP route gives `customer`, a seeding command gives what it was asked for.
 *
 * @throws DomainError `email-taken`, `idempotency-key-reused`, `roles-empty`
 * @throws PersonalDataError `data-keys-unavailable`
 * @throws Overloaded, OutcomeUnknown, LogUnavailable
 */
export async function registerUser(
  deps: RegisterDeps,
  registration: Registration,
  context: CommandContext,
): Promise<RegisteredUser> {
  const { commands, personalData, hmacSecret, clock } = deps;
  const { email, password, name, phone, roles } = registration;
  const emailHmac = emailHmacOf(hmacSecret, email);
  // Hashing may be refused, so it comes before the first event.
  const password_hash = await hashPassword(password);
  const user_id = await claimEmail(deps, emailHmac, deriveId(context.commandId, 'user'), context);
  const personal = await personalData.seal(`user:${user_id}`, { email, name, phone, password_hash });
  const command = {
    type: 'RegisterUser',
    data: { user_id, roles, email_hmac: emailHmac, external_id: null, personal },
    metadata: { now: clock().toISOString() },
  } as const;
  try {
    const accepted = await commands.handle(userAggregate, user_id, command, { ...context, creates: true });
    if (accepted.repeated) await confirmSamePassword(personalData, accepted.events, password);
    const created = accepted.events.find((event) => event.type === 'user.created');
    return { user_id, roles: created?.data.roles ?? [], accepted };
  } catch (error) {
    throw isRefusal(error, 'user-already-exists') ? emailTaken() : error;
  }
}
