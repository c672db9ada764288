import type { z } from 'zod';
import type { DomainEvent } from './decider.js';

export type JsonObject = { [key: string]: unknown };

/** Rewrites stored data of version n into version n + 1: pure, total for what that version could hold. */
export type Upcaster = (data: JsonObject) => JsonObject;

/** The stored contract of one event type: its name, its newest version and how older versions are read. */
export interface EventDefinition<Type extends string = string, Schema extends z.ZodType = z.ZodType> {
  readonly type: Type;
  readonly version: number;
  readonly data: Schema;
  /** `upcasters[n]` leads from version n to n + 1; one for every version below the newest. */
  readonly upcasters: { readonly [fromVersion: number]: Upcaster };
}

/** The event union of a list of definitions. */
export type EventOf<Definitions extends readonly EventDefinition[]> = {
  [K in keyof Definitions]: Definitions[K] extends EventDefinition<infer Type, infer Schema>
    ? DomainEvent<Type, z.output<Schema>>
    : never;
}[number];

/**
 * Declares an event type. A changed shape raises `version` and adds an upcaster; a changed meaning is a new type.
 *
 * @throws Error when a version below the newest has no upcaster
 */
export function defineEvent<const Type extends string, Schema extends z.ZodType>(definition: {
  type: Type;
  version?: number;
  data: Schema;
  upcasters?: { readonly [fromVersion: number]: Upcaster };
}): EventDefinition<Type, Schema> {
  const { type, version = 1, data, upcasters = {} } = definition;
  for (let from = 1; from < version; from += 1) {
    if (upcasters[from] === undefined) throw new Error(`${type}: no upcaster from version ${from}`);
  }
  return { type, version, data, upcasters };
}

export type DecodeFault = 'event-type-unknown' | 'event-version-newer' | 'event-version-invalid' | 'event-data-invalid';

/** A stored event that this build cannot read. Readers skip unknown types, and park the rest. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';

  constructor(
    readonly code: DecodeFault,
    message: string,
  ) {
    super(message);
  }
}

/** Data that no build can have stored make an upcaster stumble: that is a fault of the data, told as one. */
function upcast(definition: EventDefinition, version: number, data: unknown): unknown {
  let shape = data as JsonObject;
  try {
    for (let from = version; from < definition.version; from += 1) shape = definition.upcasters[from]?.(shape) ?? shape;
  } catch {
    throw new DecodeError('event-data-invalid', `${definition.type} v${version} cannot be read as a newer version`);
  }
  return shape;
}

/** Event type -> codec. */
export interface EventCatalog {
  readonly definitions: ReadonlyMap<string, EventDefinition>;
  knows(type: string): boolean;
  /** Validates an event before it is stored. @throws DecodeError `event-type-unknown`, `event-data-invalid` */
  encode(event: DomainEvent): { version: number; data: JsonObject };
  /** Reads a stored event of any known version as its newest shape. @throws DecodeError */
  decode(type: string, version: number, data: unknown): DomainEvent;
}

/** @throws Error when two definitions share a type */
export function createCatalog(definitions: Iterable<EventDefinition>): EventCatalog {
  const byType = new Map<string, EventDefinition>();
  for (const definition of definitions) {
    if (byType.has(definition.type)) throw new Error(`${definition.type} is defined twice`);
    byType.set(definition.type, definition);
  }
  const find = (type: string): EventDefinition => {
    const definition = byType.get(type);
    if (definition === undefined) throw new DecodeError('event-type-unknown', `no event type ${type} is known`);
    return definition;
  };
  const parse = (definition: EventDefinition, data: unknown): JsonObject => {
    const parsed = definition.data.safeParse(data);
    if (parsed.success) return parsed.data as JsonObject;
    const where = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.code}`).join('; ');
    throw new DecodeError('event-data-invalid', `${definition.type} v${definition.version} does not fit: ${where}`);
  };
  return {
    definitions: byType,
    knows: (type) => byType.has(type),
    encode(event) {
      const definition = find(event.type);
      return { version: definition.version, data: parse(definition, event.data) };
    },
    decode(type, version, data) {
      const definition = find(type);
      if (!Number.isInteger(version) || version < 1) {
        throw new DecodeError('event-version-invalid', `${type} carries no usable version`);
      }
      if (version > definition.version) {
        throw new DecodeError('event-version-newer', `${type} v${version} is newer than v${definition.version}`);
      }
      return { type, data: parse(definition, upcast(definition, version, data)) };
    },
  };
}
