import { type DestinationStream, pino } from 'pino';

/** Fields a log line may carry beside `message`; personal data never belongs here. */
export interface LogFields {
  requestId?: string | undefined;
  userId?: string | undefined;
  /** milliseconds */
  duration?: number | undefined;
  err?: unknown;
  [key: string]: unknown;
}

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

const redacted = ['email', 'name', 'phone', 'password', 'token', 'authorization', 'personal', 'shipping_address'];

/**
 * A JSON logger: `timestamp, level, service, requestId, message, userId, duration` and what a line adds.
 * Writes to stderr, because stdout belongs to the ready lines and the commands' own answers.
 */
export function createLogger(service: string, level = 'info', destination?: DestinationStream): Logger {
  const log = pino(
    {
      level,
      base: { service },
      messageKey: 'message',
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redacted.flatMap((key) => [key, `*.${key}`]), censor: '[redacted]' },
    },
    destination ?? pino.destination({ dest: 2, sync: true }),
  );
  return {
    debug: (message, fields) => log.debug(fields ?? {}, message),
    info: (message, fields) => log.info(fields ?? {}, message),
    warn: (message, fields) => log.warn(fields ?? {}, message),
    error: (message, fields) => log.error(fields ?? {}, message),
  };
}

/** A logger that says nothing, for tests. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
