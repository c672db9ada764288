import type { Express } from 'express';
import type { EventLog } from '../runtime/event-store/event-log.js';
import { answer, buildApp, type CheckResult } from '../runtime/http/app.js';
import type { Logger } from '../runtime/logger.js';
import { lagMeter, measureLag } from './lag.js';
import type { RunningProjections } from './projector.js';

export interface ProjectionsAppDeps {
  readonly eventLog: EventLog;
  readonly running: RunningProjections;
  readonly ping: () => Promise<boolean>;
  readonly log: Logger;
  /** A projection is not ready once it is further behind, and ready again at half of it. Seconds; 60 unless told otherwise. */
  readonly lagLimitSeconds?: number;
  readonly clock?: () => Date;
}

/**
 * The projectors' own small face. `/health` fails while a projection has stopped, and is degraded while one has parked
 * anything or lags; `/readyz` fails for both stop and lag. `GET /projections` shows position, lag and parking of each. No
 * personal data passes here, so no token is asked for; it listens on the machine itself only.
 */
export function buildProjectionsApp(deps: ProjectionsAppDeps): Express {
  const { eventLog, running, ping, log, lagLimitSeconds = 60, clock = () => new Date() } = deps;
  const measure = lagMeter(eventLog, running, clock);
  const late = new Set<string>();

  const check = async (id: string): Promise<CheckResult> => {
    const state = running.states().find((one) => one.id === id);
    if (state === undefined || state.fault !== undefined) return false;
    const lag = (await measure()).find((one) => one.id === id);
    const seconds = lag?.lag_seconds ?? 0;
    // Two bounds, so that one that works at the edge does not come and go.
    if (seconds > lagLimitSeconds) late.add(id);
    else if (seconds <= lagLimitSeconds / 2) late.delete(id);
    if (late.has(id)) return 'not-ready';
    return state.parked.events > 0 ? 'degraded' : true;
  };

  const ids = running.states().map(({ id }) => id);
  const checks = {
    'document-store': ping,
    'event-store': async () => (await eventLog.head()) >= 0n,
    ...Object.fromEntries(ids.map((id) => [id, () => check(id)])),
  };
  const report = async () => ({ projections: await measure() });
  return buildApp({ service: 'projections', log, checks, report }, (app) => {
    app.get('/projections', async (_req, res) => {
      answer(res, 200, { projections: await measureLag(eventLog, running, clock()) });
    });
  });
}
