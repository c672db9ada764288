import { connect, createServer, type Server, type Socket } from 'node:net';

export type Direction = 'both' | 'to-server' | 'to-client';

/** A TCP relay in front of a server that can lose, hold back and cut what passes through it. */
export interface TcpProxy {
  readonly port: number;
  /** Cuts every open connection with a reset; new ones are served. */
  reset(): void;
  /** Swallows bytes in these directions, on every connection, until `heal`: nobody is told, as with a pulled cable. */
  blackhole(direction?: Direction): void;
  /**
   * Serves new connections again. Those that have lost bytes can never go on: they are cut, or, where `cut` is false,
   * stay silent.
   */
  heal(cut?: boolean): void;
  /** Every chunk arrives this much later, in both directions; 0 ends it. Milliseconds. */
  delay(ms: number): void;
  /** Cuts every connection and refuses new ones until `up`, as when no server listens. */
  down(): Promise<void>;
  up(): Promise<void>;
  /** How many connections have been opened so far. */
  opened(): number;
  close(): Promise<void>;
}

interface Connection {
  readonly client: Socket;
  readonly upstream: Socket;
  lost: Direction | undefined;
}

/** Relays a free port of 127.0.0.1 to another port of it. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const connections = new Set<Connection>();
  let lost: Direction | undefined;
  let delayMs = 0;
  let opened = 0;

  const cut = (which: (connection: Connection) => boolean = () => true) => {
    for (const connection of [...connections].filter(which)) {
      connections.delete(connection);
      connection.client.resetAndDestroy();
      connection.upstream.resetAndDestroy();
    }
  };

  const relay = (connection: Connection, from: Socket, to: Socket, direction: Direction) => {
    from.setNoDelay(true);
    from.on('data', (chunk: Buffer) => {
      const pass = () => {
        if (connection.lost !== 'both' && connection.lost !== direction && to.writable) to.write(chunk);
      };
      if (delayMs > 0) setTimeout(pass, delayMs);
      else pass();
    });
    from.on('error', () => {});
    from.on('close', () => {
      if (connection.lost !== undefined) return;
      connections.delete(connection);
      setTimeout(() => to.destroy(), delayMs);
    });
  };

  const listen = async (port: number): Promise<Server> => {
    const server = createServer((client) => {
      opened += 1;
      const connection: Connection = { client, upstream: connect(targetPort, '127.0.0.1'), lost };
      connections.add(connection);
      relay(connection, client, connection.upstream, 'to-server');
      relay(connection, connection.upstream, client, 'to-client');
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    return server;
  };
  const stop = async (server: Server): Promise<void> => {
    const stopped = new Promise((resolve) => server.close(resolve));
    cut();
    await stopped;
  };

  let server = await listen(0);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy got no port');
  const { port } = address;
  return {
    port,
    reset: () => cut(),
    blackhole(direction = 'both') {
      lost = direction;
      for (const connection of connections) connection.lost = direction;
    },
    heal(cutting = true) {
      lost = undefined;
      if (cutting) cut((connection) => connection.lost !== undefined);
    },
    delay(ms) {
      delayMs = ms;
    },
    down: () => stop(server),
    async up() {
      server = await listen(port);
    },
    opened: () => opened,
    close: () => stop(server),
  };
}
