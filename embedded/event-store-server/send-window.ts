import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';

/** Bytes of one call that may wait for the network: what HTTP/2 lets be on its way unless told otherwise. */
export const sendWindowBytes = 64 * 1024;

/**
 * Lets a call with many answers hand over the next one before the last has left, up to a window of bytes. gRPC by itself
 * hands them to HTTP/2 one by one, each with a write to the socket of its own; what has gathered goes out in one. Where
 * the window is full, `write` and `drain` say so as ever. The answers have to be bytes.
 */
export const sendWindow: ServerInterceptor = ({ responseStream }, call) => {
  const windowed = new ServerInterceptingCall(call);
  if (!responseStream) return windowed;
  let unsent = 0;
  let waiting: (() => void) | undefined;
  windowed.sendMessage = (message: Buffer, goOn: () => void) => {
    unsent += message.length;
    call.sendMessage(message, () => {
      unsent -= message.length;
      if (waiting === undefined || unsent >= sendWindowBytes) return;
      const resume = waiting;
      waiting = undefined;
      resume();
    });
    if (unsent < sendWindowBytes) goOn();
    else waiting = goOn;
  };
  return windowed;
};
