const codeNames: Record<number, string> = {
  1: 'InternalError',
  2: 'BadValue',
  9: 'FailedToParse',
  13: 'Unauthorized',
  14: 'TypeMismatch',
  15: 'Overflow',
  20: 'IllegalOperation',
  22: 'InvalidBSON',
  26: 'NamespaceNotFound',
  27: 'IndexNotFound',
  28: 'PathNotViable',
  34: 'CannotBackfillArray',
  40: 'ConflictingUpdateOperators',
  43: 'CursorNotFound',
  48: 'NamespaceExists',
  50: 'MaxTimeMSExpired',
  52: 'DollarPrefixedFieldName',
  53: 'InvalidIdField',
  54: 'NotSingleValueField',
  55: 'InvalidDBRef',
  56: 'EmptyFieldName',
  59: 'CommandNotFound',
  66: 'ImmutableField',
  67: 'CannotCreateIndex',
  72: 'InvalidOptions',
  73: 'InvalidNamespace',
  85: 'IndexOptionsConflict',
  86: 'IndexKeySpecsConflict',
  91: 'ShutdownInProgress',
  111: 'NotExactValueField',
  123: 'NotAReplicaSet',
  146: 'ExceededMemoryLimit',
  168: 'InvalidPipelineOperator',
  171: 'CannotIndexParallelArrays',
  175: 'QueryPlanKilled',
  181: 'AmbiguousIndexKeyPattern',
  197: 'InvalidIndexSpecificationOption',
  218: 'IllegalOpMsgFlag',
  241: 'ConversionFailure',
  276: 'IndexBuildAborted',
  283: 'ChecksumMismatch',
  292: 'QueryExceededMemoryLimitNoDiskUseAllowed',
  322: 'APIVersionError',
  323: 'APIStrictError',
  352: 'UnsupportedOpQueryCommand',
  14031: 'OutOfDiskSpace',
  10334: 'BSONObjectTooLarge',
  11000: 'DuplicateKey',
  40413: 'IDLDuplicateField',
  40414: 'IDLFailedToParse',
  40415: 'IDLUnknownField',
};

export const code = {
  internal: 1,
  badValue: 2,
  failedToParse: 9,
  unauthorized: 13,
  typeMismatch: 14,
  overflow: 15,
  illegalOperation: 20,
  invalidBson: 22,
  namespaceNotFound: 26,
  indexNotFound: 27,
  pathNotViable: 28,
  cannotBackfillArray: 34,
  conflictingUpdate: 40,
  cursorNotFound: 43,
  namespaceExists: 48,
  timeLimit: 50,
  dollarPrefixedName: 52,
  invalidId: 53,
  notSingleValue: 54,
  invalidDbRef: 55,
  emptyFieldName: 56,
  commandNotFound: 59,
  immutableField: 66,
  cannotCreateIndex: 67,
  invalidOptions: 72,
  invalidNamespace: 73,
  indexOptionsConflict: 85,
  indexKeyConflict: 86,
  shutdown: 91,
  notExactValue: 111,
  notAReplicaSet: 123,
  exceededMemory: 146,
  unknownOperator: 168,
  parallelArrays: 171,
  planKilled: 175,
  ambiguousIndex: 181,
  indexSpecification: 197,
  conversionFailure: 241,
  indexBuildAborted: 276,
  memoryLimit: 292,
  apiVersion: 322,
  apiStrict: 323,
  unsupportedQuery: 352,
  tooLarge: 10334,
  duplicateKey: 11000,
  outOfDiskSpace: 14031,
  duplicateField: 40413,
  missingField: 40414,
  unknownField: 40415,
} as const;

/** The name MongoDB gives an error code, as its replies carry it. */
export function codeName(number: number): string {
  return codeNames[number] ?? `Location${number}`;
}

/** A refusal that the client sees: MongoDB's own number, a sentence, and what a reply adds beside them. */
export class CommandError extends Error {
  override readonly name = 'CommandError';

  constructor(
    readonly code: number,
    message: string,
    readonly extra: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

/** A data directory or port that cannot be used; the message is one sentence for the operator. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
