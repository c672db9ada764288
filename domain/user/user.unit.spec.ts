import { expect } from 'chai';
import fc from 'fast-check';
import { fold } from '../core/decider.js';
import { runLawfully } from '../core/decider-laws.js';
import { given } from '../core/specification.js';
import { eventCatalog } from '../event-catalog.js';
import { type UserCommand, type UserState, userDecider } from './user.js';
import { type Role, roles, type UserEvent } from './user-events.js';

const metadata = { now: '2026-03-01T09:30:00.000Z' };
const user_id = '018f3c1a-0000-7000-8000-000000000001';
const subject = `user:${user_id}`;
const email_hmac = 'ab'.repeat(32);
const seal = (letter: string) => `v1.${letter.repeat(16)}.${letter.repeat(10)}.${letter.repeat(22)}`;

const register: UserCommand = {
  type: 'RegisterUser',
  data: {
    user_id,
    roles: ['customer'],
    email_hmac,
    external_id: null,
    personal: { subject, fields: { email: seal('e'), name: seal('n'), password_hash: seal('p') } },
  },
  metadata,
};
const created: UserEvent = {
  type: 'user.created',
  data: {
    user_id,
    roles: ['customer'],
    email_hmac,
    external_id: null,
    personal: { subject, fields: { email: seal('e'), name: seal('n'), password_hash: seal('p') } },
  },
};
const updateName = (letter: string): UserCommand => ({
  type: 'UpdateProfile',
  data: { personal: { subject, fields: { name: seal(letter) } } },
  metadata,
});
const changePassword = (letter: string): UserCommand => ({
  type: 'ChangePassword',
  data: { personal: { subject, fields: { password_hash: seal(letter) } } },
  metadata,
});
const changeRoles = (...wanted: Role[]): UserCommand => ({
  type: 'ChangeRoles',
  data: { roles: wanted, by: 'user:admin' },
  metadata,
});
const erase: UserCommand = { type: 'EraseUser', data: { by: 'user:admin', reason: 'asked by letter' }, metadata };
const updated: UserEvent = {
  type: 'user.updated',
  data: { user_id, personal: { subject, fields: { name: seal('m') } } },
};
const passwordChanged: UserEvent = {
  type: 'user.password_changed',
  data: { user_id, personal: { subject, fields: { password_hash: seal('q') } } },
};
const erased: UserEvent = { type: 'user.erased', data: { user_id, by: 'user:admin', reason: 'asked by letter' } };

function registeredState(state: UserState) {
  if (state.status !== 'registered') throw new Error(`is ${state.status}`);
  return state;
}

describe('a user who is not registered', () => {
  it('registers', () => {
    given(userDecider).when(register).then(created);
  });

  it('registers without personal data, such as an imported customer', () => {
    given(userDecider)
      .when({
        type: 'RegisterUser',
        data: { user_id, roles: ['customer'], email_hmac: null, external_id: 'C-12346' },
        metadata,
      })
      .then({ type: 'user.created', data: { user_id, roles: ['customer'], email_hmac: null, external_id: 'C-12346' } });
  });

  it('leaves personal fields that are undefined out of the stored event', () => {
    const [event] = given(userDecider)
      .when({
        type: 'RegisterUser',
        data: {
          user_id,
          roles: ['customer'],
          email_hmac: null,
          external_id: null,
          personal: { subject, fields: { email: seal('e'), name: undefined, phone: undefined } },
        },
        metadata,
      })
      .events();
    expect(event?.type).to.equal('user.created');
    if (event?.type === 'user.created') expect(event.data.personal?.fields).to.have.all.keys('email');
  });

  it('stores roles once each, in the order of the catalogue', () => {
    const [event] = given(userDecider)
      .when({
        type: 'RegisterUser',
        data: { user_id, roles: ['admin', 'customer', 'admin'], email_hmac: null, external_id: null },
        metadata,
      })
      .events();
    if (event?.type !== 'user.created') throw new Error('not created');
    expect(event.data.roles).to.deep.equal(['customer', 'admin']);
  });

  it('needs a role', () => {
    given(userDecider)
      .when({ type: 'RegisterUser', data: { user_id, roles: [], email_hmac: null, external_id: null }, metadata })
      .thenRefused('roles-empty');
  });

  for (const command of [updateName('m'), changePassword('q'), changeRoles('admin'), erase]) {
    it(`refuses ${command.type}`, () => {
      given(userDecider).when(command).thenRefused('user-not-found');
    });
  }
});

describe('a registered user', () => {
  it('is not registered twice', () => {
    given(userDecider, created).when(register).thenRefused('user-already-exists');
  });

  it('updates the profile', () => {
    given(userDecider, created).when(updateName('m')).then(updated);
  });

  it('updates nothing when the sealed values are the ones it has, or none come', () => {
    given(userDecider, created, updated).when(updateName('m')).thenNothing();
    given(userDecider, created)
      .when({ type: 'UpdateProfile', data: { personal: { subject, fields: {} } }, metadata })
      .thenNothing();
  });

  it('changes the password', () => {
    given(userDecider, created).when(changePassword('q')).then(passwordChanged);
    given(userDecider, created, passwordChanged).when(changePassword('q')).thenNothing();
  });

  it('changes roles and tells the old ones', () => {
    given(userDecider, created)
      .when(changeRoles('seller', 'customer'))
      .then({
        type: 'user.roles_changed',
        data: { user_id, old_roles: ['customer'], new_roles: ['customer', 'seller'], by: 'user:admin' },
      });
  });

  it('loses roles', () => {
    const both: UserEvent = {
      type: 'user.roles_changed',
      data: { user_id, old_roles: ['customer'], new_roles: ['customer', 'seller'], by: 'user:admin' },
    };
    given(userDecider, created, both)
      .when(changeRoles('customer'))
      .then({
        type: 'user.roles_changed',
        data: { user_id, old_roles: ['customer', 'seller'], new_roles: ['customer'], by: 'user:admin' },
      });
  });

  it('changes no roles when the set is the same', () => {
    given(userDecider, created).when(changeRoles('customer', 'customer')).thenNothing();
  });

  it('keeps at least one role', () => {
    given(userDecider, created).when(changeRoles()).thenRefused('roles-empty');
  });

  it('is erased', () => {
    given(userDecider, created).when(erase).then(erased);
  });

  it('shows a log-in the newest sealed value of every field', () => {
    const state = registeredState(fold(userDecider, [created, updated, passwordChanged]));
    expect(state.personal).to.deep.equal({
      subject,
      fields: { email: seal('e'), name: seal('m'), password_hash: seal('q') },
    });
    expect(state.roles).to.deep.equal(['customer']);
  });

  it('has an empty set of personal fields when it came without any', () => {
    const bare: UserEvent = {
      type: 'user.created',
      data: { user_id, roles: ['customer'], email_hmac: null, external_id: 'C-1' },
    };
    expect(registeredState(fold(userDecider, [bare])).personal).to.deep.equal({ subject, fields: {} });
    const later = registeredState(fold(userDecider, [bare, updated]));
    expect(later.personal.fields).to.deep.equal({ name: seal('m') });
  });
});

describe('an erased user', () => {
  for (const command of [register, updateName('m'), changePassword('q'), changeRoles('admin'), erase]) {
    it(`refuses ${command.type}`, () => {
      given(userDecider, created, erased).when(command).thenRefused('user-erased');
    });
  }

  it('keeps no sealed field, and the HMAC whose claim is to be released', () => {
    expect(fold(userDecider, [created, erased])).to.deep.equal({ status: 'erased', user_id, email_hmac });
  });

  it('stays erased whatever follows in the log', () => {
    expect(fold(userDecider, [created, erased, updated, passwordChanged]).status).to.equal('erased');
  });
});

describe('any sequence of commands to a user', () => {
  const letter = fc.constantFrom('a', 'b', 'c');
  const someRoles = fc.array(fc.constantFrom(...roles), { maxLength: 4 });
  const command: fc.Arbitrary<UserCommand> = fc.oneof(
    fc.record({ roles: someRoles, withPersonal: fc.boolean() }).map(
      ({ roles: wanted, withPersonal }): UserCommand => ({
        type: 'RegisterUser',
        data: {
          user_id,
          roles: wanted,
          email_hmac,
          external_id: null,
          ...(withPersonal ? { personal: { subject, fields: { email: seal('e'), phone: undefined } } } : {}),
        },
        metadata,
      }),
    ),
    letter.map(updateName),
    letter.map(changePassword),
    someRoles.map((wanted) => changeRoles(...wanted)),
    fc.constant(erase),
  );

  it('obeys the laws of a decider, and every command may come twice', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
        runLawfully(userDecider, eventCatalog, [register, ...commands], () => true);
        runLawfully(userDecider, eventCatalog, commands, () => true);
      }),
    );
  });

  it('accepts nothing after the erasure', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 10 }), fc.array(command, { maxLength: 10 }), (before, after) => {
        const run = runLawfully(userDecider, eventCatalog, [register, ...before, erase, ...after]);
        expect(run.events.at(-1)?.type).to.equal('user.erased');
      }),
    );
  });
});
