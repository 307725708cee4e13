import { hash } from 'node:crypto';
import { z } from 'zod';
import { parseJws, signJws, verifyJws } from '../../../audit/signature/jws.ts';
import type { SigningKey, TrustedKeys } from '../../../audit/signature/signing-key.ts';
import { canonicalJson } from '../../../core/encoding/canonical-json.ts';
import { WardlineError } from '../../../core/errors/errors.ts';

/** The form of chunk and seal that this version writes and reads. */
export const ARCHIVE_FORMAT = 1;

const SEAL_TYPE = 'wardline-log-seal+jws';
const ARCHIVER = 'archiver';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const offset = z.int().min(0);
const life = z.string().regex(/^\d{4}-[0-9a-f]{16}$/);

/** Messages of one partition that a chunk holds; of one life, since a topic that was made again begins another chunk. */
const range = z.strictObject({
  partition: z.int().min(0),
  life,
  from: offset,
  /** The offset after the last. */
  to: offset,
  count: z.int().min(1),
  /** When the broker appended the first and the last of them, in milliseconds since the epoch. */
  firstTime: z.int(),
  lastTime: z.int(),
});

/** How far a partition is archived once this chunk is: all that is needed to go on after it. */
const end = z.strictObject({
  partition: z.int().min(0),
  life,
  next: offset,
  /** Of the frame of the message before `next`, by which the life is known again. */
  lastSha256: sha256,
});

const sealSchema = z.strictObject({
  format: z.literal(ARCHIVE_FORMAT),
  install: z.string(),
  topic: z.string(),
  sequence: z.int().min(0),
  /** SHA-256 of the seal before, as it stands in the store; null for the first chunk. */
  previous: sha256.nullable(),
  ranges: z.array(range).min(1),
  ends: z.array(end).min(1),
  /** Of the messages' frames, before they are compressed. */
  bytes: z.int().min(1),
  sha256,
  /** Of the object. */
  encryptedBytes: z.int().min(1),
  encryptedSha256: sha256,
  /** By the archiver's clock, in milliseconds since the epoch. */
  writtenAt: z.int(),
});

/** What vouches for a chunk, and links it to the chunk before. */
export type ChunkSeal = Readonly<z.infer<typeof sealSchema>>;
export type ChunkRange = Readonly<z.infer<typeof range>>;
export type PartitionEnd = Readonly<z.infer<typeof end>>;

/** A seal as it stands in the store: a JWS over canonical JSON. */
export function signSeal(seal: ChunkSeal, key: SigningKey): Buffer {
  return Buffer.from(signJws(canonicalJson(seal), key, SEAL_TYPE));
}

/** What the next seal names as `previous`. */
export function sealHash(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

/**
 * Opens a seal. Checks, in this order: its form, that its key is one of the archiver's, its signature, its type, its
 * format. Throws BACKUP_DAMAGED naming the object, or BACKUP_FORMAT where another version wrote it.
 */
export function openSeal(bytes: Uint8Array, name: string, keys: TrustedKeys): ChunkSeal {
  const jws = parseJws(Buffer.from(bytes).toString('utf8'));
  if (jws === undefined) throw damaged(name, 'is no seal of a chunk');
  const key = keys.get(jws.header.kid);
  if (key?.principal !== ARCHIVER) throw damaged(name, 'is not signed by the archiver');
  if (!verifyJws(jws, key.publicKey)) throw damaged(name, 'has a signature that does not verify');
  if (jws.header.typ !== SEAL_TYPE) throw damaged(name, `is a ${jws.header.typ} instead of a seal of a chunk`);
  const payload: unknown = JSON.parse(jws.payload.toString('utf8'));
  requireFormat(payload, name);
  const seal = sealSchema.safeParse(payload);
  if (!seal.success) throw damaged(name, `lacks what a seal has: ${seal.error.issues[0]?.path.join('.') ?? ''}`);
  return seal.data;
}

function requireFormat(payload: unknown, name: string): void {
  const format = typeof payload === 'object' && payload !== null && 'format' in payload ? payload.format : undefined;
  if (format === ARCHIVE_FORMAT || typeof format !== 'number') return;
  throw new WardlineError(
    'BACKUP_FORMAT',
    `${name} has archive format ${format}; this version reads format ${ARCHIVE_FORMAT}`,
    {
      hint: 'read it with the version of wardline that wrote it',
    },
  );
}

/** What is in the store is not what the archiver put there. */
export function damaged(name: string, what: string, cause?: unknown): WardlineError {
  return new WardlineError('BACKUP_DAMAGED', `${name} ${what}`, {
    hint: 'the log archive up to the object before it can still be used; take a new backup: wardline backup create',
    cause,
  });
}
