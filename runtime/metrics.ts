import { collectDefaultMetrics, Registry } from 'prom-client';
import { type Listening, listen } from './http/listen.js';

export type MetricsPage = Listening;

/** What is true of the process, whatever runs in it: CPU, memory, event loop, garbage collection. */
let ofTheProcess: Registry | undefined;

function processRegistry(): Registry {
  if (ofTheProcess === undefined) {
    ofTheProcess = new Registry();
    collectDefaultMetrics({ register: ofTheProcess });
  }
  return ofTheProcess;
}

/**
 * Serves a registry and the figures of the process at `/metrics`, as Prometheus reads them; 404 for the rest.
 *
 * @param port 0 asks the system for a free one
 * @throws Error a sentence, when the port is in use
 */
export async function serveMetrics(registry: Registry, port: number, host?: string): Promise<MetricsPage> {
  const own = processRegistry();
  return listen(
    (req, res) => {
      const path = req.url?.split('?')[0];
      if (path !== '/metrics' || (req.method !== 'GET' && req.method !== 'HEAD')) {
        res.writeHead(404).end();
        return;
      }
      Promise.all([registry.metrics(), own.metrics()]).then(
        (texts) => res.writeHead(200, { 'content-type': registry.contentType }).end(texts.join('\n')),
        () => res.writeHead(500).end(),
      );
    },
    port,
    host,
  );
}
