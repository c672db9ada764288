import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Listening {
  readonly port: number;
  readonly url: string;
  /** Stops accepting, lets what is under way finish, then closes. */
  close(): Promise<void>;
}

/**
 * Listens on a TCP port.
 *
 * @param port 0 asks the system for a free one
 * @throws Error a sentence, when the port is in use
 */
export async function listen(handler: RequestListener, port: number, host = '127.0.0.1'): Promise<Listening> {
  let closing = false;
  const limits = { requestTimeout: 60_000, headersTimeout: 20_000, keepAliveTimeout: 65_000 };
  const server = createServer(limits, (req, res) => {
    if (closing) res.setHeader('Connection', 'close');
    handler(req, res);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const inUse = error.code === 'EADDRINUSE';
      reject(
        inUse ? new Error(`port ${port} on ${host} is in use; stop what runs there or choose another port`) : error,
      );
    });
    server.listen(port, host, () => resolve());
  });
  const actual = (server.address() as AddressInfo).port;
  return {
    port: actual,
    url: `http://${host}:${actual}`,
    async close() {
      closing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // A connection whose answer had begun before goes idle after it and would be kept for a minute.
      const sweep = setInterval(() => server.closeIdleConnections(), 50);
      const impatient = setTimeout(() => server.closeAllConnections(), 8_000);
      await closed;
      clearTimeout(impatient);
      clearInterval(sweep);
    },
  };
}
