import type { Logger } from './logger.js';

export interface Closable {
  close(): Promise<void>;
}

const shutdownLimitMs = 10_000;

/**
 * Runs a service as a process: starts it, prints `ready <name> <json>` on stdout (the supervisor waits for that line),
 * and closes it on SIGTERM or SIGINT within ten seconds. A fault at start is one sentence on stderr and exit code 1;
 * an unhandled fault later ends the process, because its memory may have run ahead of what is stored.
 *
 * @param name the service's name, as logs and the supervisor show it
 * @param start builds the service; `ready` holds facts for the ready line, such as the port
 */
export async function runService(
  name: string,
  log: Logger,
  start: () => Promise<Closable & { ready: Record<string, unknown> }>,
): Promise<void> {
  let closing = false;
  let running: Closable | undefined;
  const shutDown = (signal: string) => {
    if (closing) return;
    closing = true;
    log.info('stopping', { signal });
    setTimeout(() => {
      log.error('did not stop in time', { limitMs: shutdownLimitMs });
      process.exit(1);
    }, shutdownLimitMs).unref();
    const closed = running === undefined ? Promise.resolve() : running.close();
    closed.then(
      () => process.exit(0),
      (err: unknown) => {
        log.error('stopped with a fault', { err });
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => shutDown('SIGTERM'));
  process.on('SIGINT', () => shutDown('SIGINT'));
  // A supervisor that dies takes its pipe with it; nobody would ever stop this process then.
  if (process.env['SHOPLEDGER_SUPERVISED'] === '1') {
    process.stdin.resume();
    process.stdin.on('end', () => shutDown('supervisor gone'));
  }
  for (const fault of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(fault, (err: unknown) => {
      log.error('fault nobody handled, ending the process', { err });
      process.exit(1);
    });
  }
  try {
    const service = await start();
    running = service;
    process.stdout.write(`ready ${name} ${JSON.stringify(service.ready)}\n`);
  } catch (err) {
    process.stderr.write(`${name}: ${err instanceof Error ? err.message : String(err)}\n`);
    process.exit(1);
  }
}
