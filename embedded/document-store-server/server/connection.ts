import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Server } from './context.js';
import { dispatch } from './dispatch.js';
import { answer, type Message, MessageReader, parse } from './wire.js';

const mostWaiting = 8;

/** Waits until the socket takes more, or is closed; it leaves no listener behind. */
async function drained(socket: Socket): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race(['drain', 'close'].map((event) => once(socket, event, { signal: over.signal })));
  } finally {
    over.abort();
  }
}

/** Serves one client: its messages one after the other, each answered before the next begins. */
export function serveConnection(server: Server, socket: Socket, connectionId: number): void {
  const reader = new MessageReader();
  const waiting: Message[] = [];
  let working = false;

  const work = async () => {
    working = true;
    for (let message = waiting.shift(); message !== undefined && !socket.destroyed; message = waiting.shift()) {
      const reply = await dispatch(server, message.request, connectionId, message.legacyDatabase);
      if (waiting.length < mostWaiting) socket.resume();
      if (message.unanswered || socket.destroyed) continue;
      socket.cork();
      let flowing = true;
      for (const part of answer(message, reply)) flowing = socket.write(part);
      socket.uncork();
      if (!flowing && !socket.destroyed) await drained(socket);
    }
    working = false;
  };

  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const bytes of reader.push(chunk)) waiting.push(parse(bytes));
    } catch (err) {
      server.log.warn('a client broke the protocol', { err, connectionId });
      socket.destroy();
      return;
    }
    if (waiting.length >= mostWaiting) socket.pause();
    if (working) return;
    work().catch((err: unknown) => {
      server.log.error('a connection failed', { err, connectionId });
      socket.destroy();
    });
  });
}
