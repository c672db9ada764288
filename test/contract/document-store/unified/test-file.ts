import type { Document } from 'mongodb';

/** A file of the unified test format, schema 1.x: the parts that files for a standalone server use. */
export interface TestFile {
  description: string;
  schemaVersion: string;
  runOnRequirements?: Requirement[];
  createEntities?: Document[];
  initialData?: CollectionData[];
  tests: Test[];
}

export interface Test {
  description: string;
  runOnRequirements?: Requirement[];
  skipReason?: string;
  operations: OperationCall[];
  expectEvents?: ExpectedEvents[];
  outcome?: CollectionData[];
}

export interface Requirement {
  minServerVersion?: string;
  maxServerVersion?: string;
  topologies?: string[];
  serverless?: string;
  serverParameters?: Document;
  auth?: boolean;
  csfle?: unknown;
}

export interface CollectionData {
  databaseName: string;
  collectionName: string;
  createOptions?: Document;
  documents: Document[];
}

export interface OperationCall {
  name: string;
  object: string;
  arguments?: Document;
  ignoreResultAndError?: boolean;
  expectError?: ExpectedError;
  expectResult?: unknown;
  saveResultAsEntity?: string;
}

export interface ExpectedError {
  isError?: boolean;
  isClientError?: boolean;
  isTimeoutError?: boolean;
  errorContains?: string;
  errorCode?: number;
  errorCodeName?: string;
  errorLabelsContain?: string[];
  errorLabelsOmit?: string[];
  errorResponse?: Document;
  expectResult?: unknown;
}

export interface ExpectedEvents {
  client: string;
  eventType?: string;
  events: Document[];
  ignoreExtraEvents?: boolean;
}

function parts(version: string): number[] {
  return version.split('.').map(Number);
}

function isBefore(a: string, b: string): boolean {
  const [left, right] = [parts(a), parts(b)];
  const at = left.findIndex((part, i) => part !== (right[i] ?? 0));
  return at >= 0 && (left[at] ?? 0) < (right[at] ?? 0);
}

/** Why a standalone server of this version does not take part, by the file's own conditions; undefined if it does. */
export function unmet(requirements: Requirement[] | undefined, version: string): string | undefined {
  if (requirements === undefined || requirements.length === 0) return undefined;
  const reasons = requirements.map((requirement) => {
    const { minServerVersion: min, maxServerVersion: max, topologies, serverless, serverParameters } = requirement;
    if (min !== undefined && isBefore(version, min)) return `only from ${min}`;
    if (max !== undefined && isBefore(max, version)) return `only up to ${max}`;
    if (topologies !== undefined && !topologies.includes('single')) return `only on ${topologies.join(', ')}`;
    if (serverless === 'require') return 'only serverless';
    if (serverParameters !== undefined) return `only with ${Object.keys(serverParameters).join(', ')}`;
    if (requirement.auth === true) return 'only with authentication';
    return requirement.csfle === undefined || requirement.csfle === false ? undefined : 'only with encryption';
  });
  return reasons.includes(undefined) ? undefined : reasons[0];
}
