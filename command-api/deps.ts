import type { EventLog } from '../runtime/event-store/event-log.js';
import type { Logger } from '../runtime/logger.js';
import type { PersonalData } from '../runtime/personal-data/personal-data.js';
import type { CommandHandler } from './handle-command.js';

/** What the command routes work with, built once in `main.ts`. */
export interface CommandDeps {
  readonly commands: CommandHandler;
  readonly eventLog: EventLog;
  readonly personalData: PersonalData;
  /** 32 bytes in hexadecimal: e-mail look-ups and request hashes. */
  readonly hmacSecret: string;
  readonly clock: () => Date;
  readonly log: Logger;
}
