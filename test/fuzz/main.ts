import { runNamed } from '../support/run-named.js';
import { fuzzDocumentStore } from './document-store.js';

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
await runNamed('fuzz', { 'document-store': fuzzDocumentStore });
