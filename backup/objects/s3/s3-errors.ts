import { asWardlineError, WardlineError, type ErrorCode } from '../../../core/errors/errors.ts';

/** Why a request to an S3 server failed; `name` is the server's own word for it, or the network's. */
interface Failure {
  readonly name: string;
  readonly status: number | undefined;
}

interface Row {
  readonly code: ErrorCode;
  readonly when: (failure: Failure) => boolean;
  readonly hint: string;
}

const named = (...names: readonly string[]): Row['when'] => {
  const known = new Set(names);
  return ({ name }) => known.has(name);
};

const CREDENTIALS_HINT = 'see to the credentials, which are found as the AWS SDK finds them, and to their rights';
const UNREACHABLE_HINT = 'see to the store and the way to it; backup.s3.endpoint names it';

/** The first row that fits decides. Names stand before statuses, since servers differ in those. */
const ROWS: readonly Row[] = [
  {
    code: 'STORE_FULL',
    when: ({ name, status }) => status === 507 || /Quota|StorageFull|InsufficientStorage|StorageExceeded/.test(name),
    hint: 'make room, or remove old backups: wardline backup prune',
  },
  {
    code: 'STORE_REFUSED',
    when: named('NoSuchBucket', 'InvalidBucketName'),
    hint: 'make the bucket, or name another: backup.store and backup.escrow',
  },
  {
    code: 'STORE_REFUSED',
    when: named('CredentialsProviderError', 'TokenProviderError'),
    hint: 'give credentials where the AWS SDK looks for them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile',
  },
  {
    code: 'STORE_REFUSED',
    when: named('PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException'),
    hint: "name the bucket's own region: backup.s3.region",
  },
  {
    code: 'STORE_REFUSED',
    when: ({ name }) => /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|^ERR_TLS/.test(name),
    hint: "let Node.js trust the store's authority: NODE_EXTRA_CA_CERTS",
  },
  // Bytes that were changed on the way, an object replaced while it was read, an upload that was swept away: begin again.
  {
    code: 'STORE_UNREACHABLE',
    when: named('BadDigest', 'XAmzContentSHA256Mismatch', 'PreconditionFailed', 'NoSuchUpload', 'InvalidPart'),
    hint: UNREACHABLE_HINT,
  },
  {
    code: 'STORE_UNREACHABLE',
    when: ({ name, status }) =>
      status === undefined ||
      status >= 500 ||
      [408, 409, 429].includes(status) ||
      /Timeout|SlowDown|Throttl/.test(name),
    hint: UNREACHABLE_HINT,
  },
  { code: 'STORE_REFUSED', when: () => true, hint: CREDENTIALS_HINT },
];

/**
 * What a request's failure means. The server's message is left out, since it may repeat what was sent; what is no failure
 * of a request stays INTERNAL.
 */
export function asS3Error(error: unknown, address: string): WardlineError {
  if (error instanceof WardlineError) return error;
  const failure = failureOf(error);
  if (failure === undefined) return asWardlineError(error);
  const row = ROWS.find(({ when }) => when(failure));
  const status = failure.status === undefined ? '' : `, status ${failure.status}`;
  return new WardlineError(row?.code ?? 'STORE_REFUSED', `${address} cannot be used: ${failure.name}${status}`, {
    hint: row?.hint,
    cause: error,
  });
}

/** The HTTP status of a refused request. */
export function statusOf(error: unknown): number | undefined {
  return failureOf(error)?.status;
}

export function nameOf(error: unknown): string | undefined {
  return failureOf(error)?.name;
}

/** Errors of the SDK's own, which have neither a status nor a code of the network's. */
const WITHOUT_STATUS = new Set(['CredentialsProviderError', 'TokenProviderError', 'TimeoutError', 'AbortError']);

function failureOf(error: unknown): Failure | undefined {
  if (!(error instanceof Error)) return undefined;
  const status = '$metadata' in error ? (error.$metadata as { httpStatusCode?: number }).httpStatusCode : undefined;
  if (status !== undefined || WITHOUT_STATUS.has(error.name)) return { name: error.name, status };
  if ('code' in error && typeof error.code === 'string') return { name: error.code, status };
  return undefined;
}
