/** Exit codes of the `wardline` command. */
export const EXIT = { done: 0, failed: 1, usage: 2, refused: 3, verification: 4, unreachable: 5 } as const;

type Exit = keyof typeof EXIT;

/** Every error code of the system, with the exit code of the command it ends and whether the same call may succeed later. */
export const ERROR_CODES = {
  // The caller's mistakes.
  USAGE: { exit: 'usage', retryable: false },
  HOME_NOT_FOUND: { exit: 'usage', retryable: false },
  HOME_FORMAT: { exit: 'usage', retryable: false },
  CONFIGURATION_INVALID: { exit: 'usage', retryable: false },
  PREREQUISITE_MISSING: { exit: 'failed', retryable: false },
  // Contracts.
  CONTRACT_INVALID: { exit: 'usage', retryable: false },
  CONTRACT_NOT_FOUND: { exit: 'usage', retryable: false },
  CONTRACT_INACTIVE: { exit: 'refused', retryable: false },
  CONTRACT_CONFLICT: { exit: 'refused', retryable: false },
  EXPRESSION_INVALID: { exit: 'usage', retryable: false },
  // Sources.
  SOURCE_UNREADABLE: { exit: 'failed', retryable: false },
  SOURCE_COLUMNS_MISSING: { exit: 'usage', retryable: false },
  SOURCE_EMPTY: { exit: 'usage', retryable: false },
  SOURCE_ENCODING: { exit: 'failed', retryable: false },
  SOURCE_CHANGED: { exit: 'failed', retryable: false },
  SOURCE_COLUMNS_AMBIGUOUS: { exit: 'usage', retryable: false },
  // Keys, certificates, sealed fields.
  CERTIFICATE_INVALID: { exit: 'verification', retryable: false },
  CREDENTIAL_MISSING: { exit: 'failed', retryable: false },
  KEY_STORE_UNREADABLE: { exit: 'failed', retryable: false },
  KEY_NOT_FOUND: { exit: 'refused', retryable: false },
  KEY_NOT_YET_PUBLISHED: { exit: 'failed', retryable: true },
  KEY_DESTROYED: { exit: 'refused', retryable: false },
  KEY_EXHAUSTED: { exit: 'failed', retryable: true },
  KEY_MISMATCH: { exit: 'verification', retryable: false },
  SEALED_FIELD_MALFORMED: { exit: 'verification', retryable: false },
  SEALED_FIELD_MISPLACED: { exit: 'verification', retryable: false },
  SEALED_FIELD_ALTERED: { exit: 'verification', retryable: false },
  // Policy.
  REFUSED_BY_POLICY: { exit: 'refused', retryable: false },
  TOO_MANY_DEAD_LETTERS: { exit: 'failed', retryable: false },
  // Audit.
  AUDIT_UNAVAILABLE: { exit: 'unreachable', retryable: true },
  AUDIT_EVENT_INVALID: { exit: 'failed', retryable: false },
  AUDIT_EVENT_UNVERIFIED: { exit: 'verification', retryable: false },
  AUDIT_CHECKPOINT_INVALID: { exit: 'verification', retryable: false },
  AUDIT_PROOF_INVALID: { exit: 'verification', retryable: false },
  /** The topic is not the one that the log was made from, or has lost what a checkpoint holds. */
  AUDIT_EPOCH_LOST: { exit: 'verification', retryable: false },
  /** What is held does not lead to a checkpoint that was signed. */
  AUDIT_FORK: { exit: 'verification', retryable: false },
  // Backup and recovery.
  STORE_UNREACHABLE: { exit: 'unreachable', retryable: true },
  STORE_FULL: { exit: 'failed', retryable: true },
  STORE_REFUSED: { exit: 'refused', retryable: false },
  OBJECT_NOT_FOUND: { exit: 'verification', retryable: false },
  OBJECT_DAMAGED: { exit: 'verification', retryable: false },
  IDENTITY_MISSING: { exit: 'refused', retryable: false },
  /** The recovery identity is not one that the object was encrypted to. */
  IDENTITY_WRONG: { exit: 'refused', retryable: false },
  BACKUP_NOT_FOUND: { exit: 'usage', retryable: false },
  /** Another version of the product wrote the backup, in a form that this one does not read. */
  BACKUP_FORMAT: { exit: 'usage', retryable: false },
  BACKUP_DAMAGED: { exit: 'verification', retryable: false },
  /** Another process is at the same work: two backups, or a prune or a restore beside its like. */
  BACKUP_BUSY: { exit: 'failed', retryable: true },
  /** A node of a cluster of several did not do its part in time. */
  NODE_MISSING: { exit: 'unreachable', retryable: true },
  /** What stands after a restore is not what the backup holds. */
  RESTORE_DIFFERS: { exit: 'verification', retryable: false },
  // Servers.
  KAFKA_UNREACHABLE: { exit: 'unreachable', retryable: true },
  KAFKA_REFUSED: { exit: 'refused', retryable: false },
  KAFKA_OFFSET_LOST: { exit: 'failed', retryable: false },
  CASSANDRA_UNREACHABLE: { exit: 'unreachable', retryable: true },
  CASSANDRA_REFUSED: { exit: 'refused', retryable: false },
  SERVER_START_FAILED: { exit: 'failed', retryable: false },
  PORT_IN_USE: { exit: 'failed', retryable: false },
  ALREADY_RUNNING: { exit: 'failed', retryable: false },
  NOT_RUNNING: { exit: 'unreachable', retryable: false },
  NOT_FOUND: { exit: 'failed', retryable: false },
  INTERNAL: { exit: 'failed', retryable: false },
} as const satisfies Record<string, { exit: Exit; retryable: boolean }>;

export type ErrorCode = keyof typeof ERROR_CODES;

interface ErrorOptions {
  /** What the reader can do about it, as an imperative sentence. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** The only error class that leaves a module: `message` says what failed and why, `hint` what to do. Never holds a sensitive value. */
export class WardlineError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'WardlineError';
    this.code = code;
    this.hint = options.hint;
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }

  get exitCode(): number {
    return EXIT[ERROR_CODES[this.code].exit];
  }
}

/** Wraps whatever was thrown, so that a caller has a code and a message. */
export function asWardlineError(thrown: unknown, code: ErrorCode = 'INTERNAL'): WardlineError {
  if (thrown instanceof WardlineError) return thrown;
  return new WardlineError(code, thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
}
