import type { Command, Decider } from '../core/decider.js';
import { DomainError } from '../core/domain-error.js';
import type { Personal } from '../core/personal.js';
import { type Role, roles, type UserEvent } from './user-events.js';

type Sealed = Extract<UserEvent, { type: 'user.updated' }>['data']['personal'];
type UserPersonal = Personal<'email' | 'name' | 'phone' | 'password_hash'>;

export type RegisterUser = Command<
  'RegisterUser',
  {
    readonly user_id: string;
    readonly roles: readonly Role[];
    readonly email_hmac: string | null;
    readonly external_id: string | null;
    readonly personal?: UserPersonal | undefined;
  }
>;
/** No e-mail: its HMAC and its claim must move with it, which an update of the profile cannot do. */
export type UpdateProfile = Command<'UpdateProfile', { readonly personal: Personal<'name' | 'phone'> }>;
export type ChangePassword = Command<
  'ChangePassword',
  { readonly personal: { readonly subject: string; readonly fields: { readonly password_hash: string } } }
>;
export type ChangeRoles = Command<'ChangeRoles', { readonly roles: readonly Role[]; readonly by: string }>;
export type EraseUser = Command<'EraseUser', { readonly by: string; readonly reason: string }>;

export type UserCommand = RegisterUser | UpdateProfile | ChangePassword | ChangeRoles | EraseUser;

interface Registered {
  readonly status: 'registered';
  readonly user_id: string;
  /** Whose claim is released when the user is erased. */
  readonly email_hmac: string | null;
  readonly roles: readonly Role[];
  /** The newest sealed value of every field, `password_hash` among them. */
  readonly personal: UserPersonal;
}

export type UserState =
  | { readonly status: 'unknown' }
  | Registered
  | { readonly status: 'erased'; readonly user_id: string; readonly email_hmac: string | null };

/** Stored personal data holds no undefined fields, requests that leave a field out may. */
function present(personal: UserPersonal): Sealed {
  const fields = Object.fromEntries(Object.entries(personal.fields).filter(([, value]) => value !== undefined));
  return { subject: personal.subject, fields };
}

/** In the order of the catalogue, each once. */
function normalRoles(wanted: readonly Role[]): Role[] {
  const normal = roles.filter((role) => wanted.includes(role));
  if (normal.length === 0) throw new DomainError('roles-empty', 'A user has at least one role.');
  return normal;
}

/** @throws DomainError `user-not-found`, `user-erased` */
function registered(state: UserState): Registered {
  switch (state.status) {
    case 'registered':
      return state;
    case 'unknown':
      throw new DomainError('user-not-found', 'There is no such user.');
    case 'erased':
      throw new DomainError('user-erased', 'This user has been erased.');
  }
}

function register({ data }: RegisterUser, state: UserState): UserEvent[] {
  if (state.status === 'erased') throw new DomainError('user-erased', 'This user has been erased.');
  if (state.status === 'registered') throw new DomainError('user-already-exists', 'This user is already registered.');
  const { user_id, email_hmac, external_id, personal } = data;
  return [
    {
      type: 'user.created',
      data: {
        user_id,
        roles: normalRoles(data.roles),
        email_hmac,
        external_id,
        ...(personal === undefined ? {} : { personal: present(personal) }),
      },
    },
  ];
}

function changePersonal(
  type: 'user.updated' | 'user.password_changed',
  wanted: UserPersonal,
  user: Registered,
): UserEvent[] {
  const personal = present(wanted);
  const known: Readonly<Record<string, string | undefined>> = user.personal.fields;
  if (Object.entries(personal.fields).every(([field, value]) => known[field] === value)) return [];
  return [{ type, data: { user_id: user.user_id, personal } }];
}

function changeRoles({ data }: ChangeRoles, user: Registered): UserEvent[] {
  const wanted = normalRoles(data.roles);
  if (wanted.length === user.roles.length && wanted.every((role) => user.roles.includes(role))) return [];
  return [
    {
      type: 'user.roles_changed',
      data: { user_id: user.user_id, old_roles: [...user.roles], new_roles: wanted, by: data.by },
    },
  ];
}

function merged(state: UserState, personal: Sealed): UserState {
  if (state.status !== 'registered') return state;
  const fields = { ...state.personal.fields, ...personal.fields };
  return { ...state, personal: { subject: personal.subject, fields } };
}

/** A user: who they are (sealed), what they may do, and whether they still are. */
export const userDecider: Decider<UserState, UserCommand, UserEvent> = {
  initialState: { status: 'unknown' },

  decide(command, state) {
    switch (command.type) {
      case 'RegisterUser':
        return register(command, state);
      case 'UpdateProfile':
        return changePersonal('user.updated', command.data.personal, registered(state));
      case 'ChangePassword':
        return changePersonal('user.password_changed', command.data.personal, registered(state));
      case 'ChangeRoles':
        return changeRoles(command, registered(state));
      case 'EraseUser': {
        const { user_id } = registered(state);
        return [{ type: 'user.erased', data: { user_id, by: command.data.by, reason: command.data.reason } }];
      }
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'user.created': {
        const { user_id, email_hmac, roles, personal } = event.data;
        return {
          status: 'registered',
          user_id,
          email_hmac,
          roles,
          personal: personal ?? { subject: `user:${user_id}`, fields: {} },
        };
      }
      case 'user.updated':
      case 'user.password_changed':
        return merged(state, event.data.personal);
      case 'user.roles_changed':
        return state.status === 'registered' ? { ...state, roles: event.data.new_roles } : state;
      case 'user.erased':
        return {
          status: 'erased',
          user_id: event.data.user_id,
          email_hmac: state.status === 'unknown' ? null : state.email_hmac,
        };
      default:
        event satisfies never;
        return state;
    }
  },
};
