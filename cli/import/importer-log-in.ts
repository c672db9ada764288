import { randomBytes } from 'node:crypto';
import { DomainError } from '../../domain/core/domain-error.js';
import type { DataFolder, RunningFacts } from '../data-folder.js';
import { registerLocally } from '../local-users.js';
import type { Patience } from './patience.js';

/** Who imports into the installation on this machine. The token saves a log-in, which would be an event. */
export interface ImporterLogIn {
  readonly email: string;
  readonly password: string;
  readonly registered: boolean;
  readonly token?: string;
}

const file = 'importer.json';

/** The importer of a data folder whose system runs; made and registered where there is none yet. */
export async function ensureImporter(
  data: DataFolder,
  facts: RunningFacts,
  patience: Patience,
): Promise<ImporterLogIn> {
  const kept = data.readJson<ImporterLogIn>(file);
  if (kept?.registered === true) return kept;
  const password = kept?.password ?? randomBytes(18).toString('base64url');
  const planned = { email: 'importer@online-retail.shop', password, registered: false };
  data.write(file, JSON.stringify(planned));
  const user = { email: planned.email, password, name: 'Online Retail import', roles: ['importer'] as const };
  const installation = { secrets: data.secrets(), facts };
  const register = () => registerLocally('importer', [user], installation);
  await patience.untilDone('registering the importer', register, (error) => error instanceof DomainError);
  const registered = { ...planned, registered: true };
  data.write(file, JSON.stringify(registered));
  return registered;
}

export function keepToken(data: DataFolder, logIn: ImporterLogIn, token: string): void {
  data.write(file, JSON.stringify({ ...logIn, token }));
}
