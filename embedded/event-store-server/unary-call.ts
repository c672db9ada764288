import type { handleUnaryCall } from '@grpc/grpc-js';
import type { Logger } from '../../runtime/logger.js';
import { toCallError } from './errors.js';
import type { OpenCalls } from './open-calls.js';

/** A handler that answers when the work is done, or with its refusal. */
export function unary<Request, Response>(
  { calls, log }: { calls: OpenCalls; log: Logger },
  work: (request: Request) => Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const answer = async (): Promise<Response> => {
      calls.admit();
      return work(call.request);
    };
    calls.track(
      answer().then(
        (response) => callback(null, response),
        (err: unknown) => callback(toCallError(err, log)),
      ),
    );
  };
}
