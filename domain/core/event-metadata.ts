import { z } from 'zod';
import { timestamp, uuid } from './ids.js';

/**
 * STORED CONTRACT: what every event of a stream of record carries beside its data.
 *
 * `command_id` and `request_hash` are absent where no command of the stream's own stands behind the event, such as an
 * expiry that a stranger's command brings about.
 */
export const eventMetadata = z.strictObject({
  event_version: z.int().min(1),
  source_service: z.string().min(1),
  $correlationId: uuid,
  $causationId: uuid,
  command_id: uuid.optional(),
  request_hash: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  user_id: z.string().min(1).optional(),
  traceparent: z.string().optional(),
  occurred_at: timestamp,
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});

export type EventMetadata = z.output<typeof eventMetadata>;
