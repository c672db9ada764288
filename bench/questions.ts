import { documentStore } from './document-store.js';
import { emmett } from './emmett.js';
import { eventStore } from './event-store.js';
import type { Question } from './harness.js';
import { orders } from './orders.js';
import { projecting } from './projections.js';
import { writePath } from './write-path.js';

/** What `npm run bench` asks, in this order. */
export const questions: readonly Question[] = [eventStore, documentStore, writePath, emmett, projecting, orders];
