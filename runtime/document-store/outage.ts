import { MongoError, MongoNetworkError, MongoOperationTimeoutError, MongoServerSelectionError } from 'mongodb';

// The driver does not export the classes of its pool's own faults.
const poolFaults = new Set(['MongoWaitQueueTimeoutError', 'MongoPoolClosedError']);

/** Whether an error says that the store cannot be reached at the moment, rather than that it refused. */
export function isOutage(error: unknown): boolean {
  if (error instanceof MongoOperationTimeoutError) return true;
  if (error instanceof MongoNetworkError || error instanceof MongoServerSelectionError) return true;
  return error instanceof MongoError && poolFaults.has(error.name);
}
