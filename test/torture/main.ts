import { runNamed } from '../support/run-named.js';
import { runDocumentStoreTorture } from './document-store.js';
import { runEventStoreTorture } from './event-store.js';

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
await runNamed('torture', { 'event-store': runEventStoreTorture, 'document-store': runDocumentStoreTorture });
