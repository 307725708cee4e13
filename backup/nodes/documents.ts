import { hash } from 'node:crypto';
import { z } from 'zod';
import { parseJws, signJws, verifyJws } from '../../audit/signature/jws.ts';
import type { SigningKey, TrustedKeys } from '../../audit/signature/signing-key.ts';
import { canonicalJson } from '../../core/encoding/canonical-json.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import type { JsonValue } from '../../core/record.ts';
import { backupFileSchema } from '../manifest/manifest.ts';
import { BACKUP_ID } from '../naming.ts';

const FORMAT = 1;
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** Of a node; it becomes part of the name of an object. */
const hostId = z.string().regex(/^[A-Za-z0-9-]{1,64}$/);
const tableName = z.strictObject({ keyspace: z.string(), table: z.string() });

/** What every request to the other nodes says. */
const asked = {
  format: z.literal(FORMAT),
  install: z.string(),
  /** Of the backup, or of the step of a restore, that the request is for. */
  id: z.string(),
  /** Host ids of the nodes that are asked. */
  nodes: z.array(hostId),
  /** Nobody answers later, nor waits for an answer: a request that somebody kept and puts back counts no longer. */
  until: z.iso.datetime(),
};

/** What every answer says. */
const answered = {
  format: z.literal(FORMAT),
  install: z.string(),
  id: z.string(),
  node: hostId,
  /** SHA-256 of the request as it is stored: an answer to another is none. */
  request: sha256,
};

const snapshotRequest = z.strictObject({
  ...asked,
  keyspaces: z.array(z.string()),
  /** Whom the parts must be encrypted to. A node encrypts to nobody that its own home does not name. */
  recipients: z.array(z.string()),
  /** Objects that were found damaged: whoever has their content stores it again. */
  damaged: z.array(sha256),
});

const snapshotPart = z.strictObject({
  ...answered,
  snapshotAt: z.iso.datetime(),
  /** Bytes that had to be sent. */
  sent: z.int().min(0),
  files: z.array(backupFileSchema),
});

const importRequest = z.strictObject({
  ...asked,
  backup: z.string().regex(BACKUP_ID),
  /** The table of the backup, and the one that its files are to become part of. */
  source: tableName,
  target: tableName,
});

const importAnswer = z.strictObject(answered);

export type SnapshotRequest = Readonly<z.infer<typeof snapshotRequest>>;
export type SnapshotPart = Readonly<z.infer<typeof snapshotPart>>;
export type ImportRequest = Readonly<z.infer<typeof importRequest>>;
export type ImportAnswer = Readonly<z.infer<typeof importAnswer>>;

/** What all requests, and all answers, have in common. */
export type NodeRequest = SnapshotRequest | ImportRequest;
export type NodeAnswer = SnapshotPart | ImportAnswer;

/** A kind of document that nodes exchange: a compact JWS by Ed25519 over canonical JSON, as a manifest is. */
export interface DocumentKind<T> {
  /** The `typ` of its JWS (RFC 8725 section 3.11). */
  readonly type: string;
  /** Who may sign it. */
  readonly signer: string;
  readonly schema: z.ZodType<T>;
}

export const SNAPSHOT_REQUEST: DocumentKind<SnapshotRequest> = {
  type: 'wardline-snapshot-request+jws',
  signer: 'archiver',
  schema: snapshotRequest,
};
export const SNAPSHOT_PART: DocumentKind<SnapshotPart> = {
  type: 'wardline-snapshot-part+jws',
  signer: 'archiver',
  schema: snapshotPart,
};
export const IMPORT_REQUEST: DocumentKind<ImportRequest> = {
  type: 'wardline-import-request+jws',
  signer: 'operator',
  schema: importRequest,
};
export const IMPORT_ANSWER: DocumentKind<ImportAnswer> = {
  type: 'wardline-import-answer+jws',
  signer: 'operator',
  schema: importAnswer,
};

/** Members that a request and its answers are told by, for who makes one. */
export function headOf(install: string, id: string): { format: typeof FORMAT; install: string; id: string } {
  return { format: FORMAT, install, id };
}

export function signDocument<T>(kind: DocumentKind<T>, document: T, key: SigningKey): string {
  return signJws(canonicalJson(document as JsonValue), key, kind.type);
}

/** SHA-256 of a document as it is stored, by which an answer names its request. */
export function documentSha256(text: string): string {
  return hash('sha256', text, 'hex');
}

/** Whether a text says that it is of this kind; nothing of it is believed yet. */
export function isOfKind(kind: Pick<DocumentKind<unknown>, 'type'>, text: string): boolean {
  return parseJws(text)?.header.typ === kind.type;
}

/** Reads a document of a kind from its object. Throws BACKUP_DAMAGED where it is not what the kind's signer signed for the installation. */
export function openDocument<T extends { readonly install: string }>(
  kind: DocumentKind<T>,
  text: string,
  { name, install, trusted }: { readonly name: string; readonly install: string; readonly trusted: TrustedKeys },
): T {
  const jws = parseJws(text);
  const key = jws === undefined ? undefined : trusted.get(jws.header.kid);
  if (jws?.header.typ !== kind.type) throw damaged(name, `is no ${kind.type}`);
  if (key?.principal !== kind.signer)
    throw damaged(name, `is signed by ${jws.header.kid}, not by this installation's ${kind.signer}`);
  if (!verifyJws(jws, key.publicKey)) throw damaged(name, 'does not carry a signature of its content');
  const read = kind.schema.safeParse(JSON.parse(jws.payload.toString('utf8')));
  if (!read.success)
    throw damaged(name, `lacks what its format asks for: ${read.error.issues[0]?.path.join('.') ?? ''}`);
  if (read.data.install !== install) throw damaged(name, `is of another installation, ${read.data.install}`);
  return read.data;
}

function damaged(name: string, what: string): WardlineError {
  return new WardlineError('BACKUP_DAMAGED', `${name} ${what}`, {
    hint: 'remove it, and begin again',
  });
}
