import type { DomainEvent } from '../../domain/core/decider.js';
import type { Projection, Recorded } from '../../projections/projection.js';
import type { Positioned } from '../../runtime/document-store/positioned.js';
import { readModelId } from '../../runtime/document-store/read-model.js';
import type { StoredEvent } from '../../runtime/event-store/event-log.js';
import { type Finding, placeOf, type Tally, tally } from './finding.js';
import { firstDifference } from './first-difference.js';
import { type FoldedDocument, type ModelFold, modelFold, type ParkedPlace } from './model-fold.js';

/** A read model under audit: the fold of the log up to a position beside what is stored. */
interface Audited {
  readonly id: string;
  readonly upTo: bigint;
  readonly fold: ModelFold;
  /** Stored documents that have seen more than the fold, to be compared further on. */
  readonly ahead: Map<string, Positioned>;
}

export interface ReadModelsFold {
  /** @param event undefined where it cannot be read */
  take(stored: StoredEvent, event: Recorded<DomainEvent> | undefined): void;
  /** Compares what is stored of each model. A document that has seen more than the fold is left to `takeFurther`. */
  compare(documentsOf: (modelId: string) => AsyncIterable<Positioned>): Promise<void>;
  /** From where to where the log must be read once more for documents that live on; undefined where there are none. */
  further(): { readonly after: bigint; readonly upTo: bigint } | undefined;
  takeFurther(stored: StoredEvent, event: Recorded<DomainEvent> | undefined): void;
  /** The documents that the log makes of a model, up to where it was compared. */
  folded(modelId: string): ReadonlyMap<string, FoldedDocument>;
  finding(): Finding;
}

/**
 * I9: every stored document is the fold of the log, and there are no others; a parked one is the fold up to the event it
 * was parked at. While traffic goes on, each document is compared at the position it has seen.
 *
 * @param upTo how far each model has come, by its id
 */
export function readModelsFold(
  projections: readonly Projection[],
  upTo: ReadonlyMap<string, bigint>,
  parked: readonly ParkedPlace[],
  notes: readonly string[] = [],
): ReadModelsFold {
  const found = tally('I9', 'every read model is the fold of the log', ['documents', 'while they changed', 'parked']);
  const models = projections.map((projection): Audited => {
    const id = readModelId(projection.model);
    const fold = modelFold(
      projection,
      parked.filter(({ model }) => model === id),
    );
    return { id, upTo: upTo.get(id) ?? -1n, fold, ahead: new Map() };
  });
  found.count('parked', parked.length);
  for (const note of notes) found.note(note);

  const feed = (
    { id, fold }: Audited,
    stored: StoredEvent,
    event: Recorded<DomainEvent>,
    isWanted: (documentId: string) => boolean,
  ) => {
    try {
      const fault = fold.take(event, fold.idsOf(stored, event).filter(isWanted));
      if (fault === undefined) return;
      found.violated(
        `${id} ${fault.document}`,
        `a document that takes in ${placeOf(stored)}, or is parked`,
        fault.message,
      );
    } catch (error) {
      found.violated(`${id}`, `ids of ${placeOf(stored)}, or a parked stream`, String(error));
    }
  };

  return {
    take(stored, event) {
      if (event === undefined) return;
      for (const model of models) if (stored.position <= model.upTo) feed(model, stored, event, () => true);
    },
    async compare(documentsOf) {
      for (const model of models) {
        const stored = new Set<string>();
        for await (const document of documentsOf(model.id)) {
          const { _id: id, position } = document;
          if (!stored.has(id)) found.count('documents');
          stored.add(id);
          if (position > model.upTo) model.ahead.set(id, document);
          else compareDocument(found, model, document);
        }
        for (const [id, { position }] of model.fold.documents) {
          if (!stored.has(id)) found.violated(`${model.id} ${id}`, `a document, since position ${position}`, 'none');
        }
      }
    },
    further() {
      let range: { after: bigint; upTo: bigint } | undefined;
      for (const { ahead, upTo: after } of models) {
        for (const { position } of ahead.values()) {
          range = {
            after: range === undefined || after < range.after ? after : range.after,
            upTo: range === undefined || position > range.upTo ? position : range.upTo,
          };
        }
      }
      return range;
    },
    takeFurther(stored, event) {
      if (event === undefined) return;
      for (const model of models) {
        if (stored.position <= model.upTo) continue;
        feed(model, stored, event, (id) => stored.position <= (model.ahead.get(id)?.position ?? -1n));
      }
    },
    folded: (modelId) => models.find(({ id }) => id === modelId)?.fold.documents ?? new Map(),
    finding() {
      for (const model of models) {
        for (const document of model.ahead.values()) {
          found.count('while they changed');
          compareDocument(found, model, document);
        }
      }
      return found.finding();
    },
  };
}

function compareDocument(found: Tally, { id: modelId, fold }: Audited, document: Positioned): void {
  const { _id: id, ...seen } = document;
  const where = `${modelId} ${id}`;
  const made = fold.documents.get(id);
  if (made === undefined) {
    found.violated(where, 'no such document', `one that has seen position ${document.position}`);
    return;
  }
  const { _id: _, ...body } = made.body as Positioned;
  const difference = firstDifference({ ...body, position: made.position }, seen);
  if (difference === undefined) return;
  found.violated(`${where}, ${difference.field}`, difference.expected, difference.seen);
}
