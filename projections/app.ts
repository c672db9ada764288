import type { Express } from 'express';
import type { EventLog } from '../runtime/event-store/event-log.js';
import { answer, buildApp } from '../runtime/http/app.js';
import type { Logger } from '../runtime/logger.js';
import { measureLag } from './lag.js';
import type { RunningProjections } from './projector.js';

export interface ProjectionsAppDeps {
  readonly eventLog: EventLog;
  readonly running: RunningProjections;
  readonly ping: () => Promise<boolean>;
  readonly log: Logger;
}

/**
 * The projectors' own small face: `/health` fails while a projection has stopped, `GET /projections` shows position and
 * lag of each. No personal data passes here, so no token is asked for; it listens on the machine itself only.
 */
export function buildProjectionsApp({ eventLog, running, ping, log }: ProjectionsAppDeps): Express {
  const ids = running.states().map(({ id }) => id);
  const goesOn = (id: string) => async () => running.states().every((state) => state.id !== id || !state.fault);
  const checks = {
    'document-store': ping,
    'event-store': async () => (await eventLog.head()) >= 0n,
    ...Object.fromEntries(ids.map((id) => [id, goesOn(id)])),
  };
  return buildApp({ service: 'projections', log, checks }, (app) => {
    app.get('/projections', async (_req, res) => {
      answer(res, 200, { projections: await measureLag(eventLog, running, new Date()) });
    });
  });
}
