import { registerUser } from '../command-api/auth/register-user.js';
import { createCommandHandler } from '../command-api/handle-command.js';
import { eventCatalog } from '../domain/event-catalog.js';
import type { Role } from '../domain/user/user-events.js';
import { connectDocumentStore } from '../runtime/document-store/connect.js';
import { openEventLog } from '../runtime/event-store/event-log.js';
import { deriveId } from '../runtime/ids.js';
import { silentLogger } from '../runtime/logger.js';
import { openPersonalData } from '../runtime/personal-data/personal-data.js';
import type { RunningFacts, Secrets } from './data-folder.js';

export interface LocalUser {
  readonly email: string;
  readonly password: string;
  readonly name: string;
  readonly roles: readonly Role[];
}

/**
 * Registers users with roles that nobody can register with from outside, in the installation on this machine. It may be
 * repeated, with the same passwords.
 *
 * @param purpose makes the commands' ids, together with the address
 */
export async function registerLocally(
  purpose: string,
  users: readonly LocalUser[],
  installation: { readonly secrets: Secrets; readonly facts: RunningFacts },
): Promise<void> {
  const { secrets, facts } = installation;
  const eventLog = openEventLog(facts.eventStoreUrl, silentLogger);
  const store = await connectDocumentStore({ url: facts.documentStoreUrl, database: 'shopledger', appName: 'cli' });
  try {
    const deps = {
      commands: createCommandHandler({ eventLog, catalog: eventCatalog, service: 'cli', log: silentLogger }),
      personalData: openPersonalData({ db: store.db, masterKey: secrets.master, log: silentLogger }),
      hmacSecret: secrets.hmac,
      clock: () => new Date(),
    };
    for (const user of users) {
      const commandId = deriveId(purpose, user.email);
      await registerUser(deps, user, { commandId, correlationId: commandId });
    }
  } finally {
    await eventLog.close();
    await store.close();
  }
}
