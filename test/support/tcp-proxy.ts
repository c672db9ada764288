import { connect, createServer, type Socket } from 'node:net';

/** A TCP relay in front of a server that can lose, hold back and cut what passes through it. */
export interface TcpProxy {
  readonly port: number;
  /** Cuts every open connection with a reset; new ones are served. */
  reset(): void;
  /** Bytes are swallowed in these directions until `heal`: nobody is told, as when a cable is pulled. */
  blackhole(direction?: 'both' | 'to-server' | 'to-client'): void;
  /** Ends `blackhole`. What was swallowed stays lost, so the connections of that time are cut. */
  heal(): void;
  /** Every chunk arrives this much later, in both directions. 0 ends it. Milliseconds. */
  delay(ms: number): void;
  /** Connections opened so far. */
  opened(): number;
  close(): Promise<void>;
}

/** Relays 127.0.0.1:<a free port> to a port of this machine. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let lost: 'none' | 'both' | 'to-server' | 'to-client' = 'none';
  let delayMs = 0;
  let opened = 0;

  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };

  const relay = (from: Socket, to: Socket, direction: 'to-server' | 'to-client') => {
    sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (chunk: Buffer) => {
      const pass = () => {
        if (lost !== 'both' && lost !== direction && to.writable) to.write(chunk);
      };
      if (delayMs > 0) setTimeout(pass, delayMs);
      else pass();
    });
    from.on('error', () => {});
    from.on('close', () => {
      sockets.delete(from);
      if (lost === 'none') to.destroy();
    });
  };

  const server = createServer((client) => {
    opened += 1;
    const upstream = connect(targetPort, '127.0.0.1');
    relay(client, upstream, 'to-server');
    relay(upstream, client, 'to-client');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy got no port');
  return {
    port: address.port,
    reset: cut,
    blackhole(direction = 'both') {
      lost = direction;
    },
    heal() {
      cut();
      lost = 'none';
    },
    delay(ms) {
      delayMs = ms;
    },
    opened: () => opened,
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
