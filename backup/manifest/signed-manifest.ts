import { parseJws, signJws, verifyJws } from '../../audit/signature/jws.ts';
import type { SigningKey, TrustedKeys } from '../../audit/signature/signing-key.ts';
import { canonicalJson } from '../../core/encoding/canonical-json.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { MANIFEST_FORMAT, manifestSchema, type Manifest } from './manifest.ts';

/** The `typ` of a manifest's JWS (RFC 8725 section 3.11). */
const MANIFEST_TYPE = 'wardline-manifest+jws';
/** Who may sign a manifest. */
const SIGNER = 'archiver';

/** A manifest as it is stored: a compact JWS (RFC 7515) by Ed25519 over its canonical JSON (RFC 8785). */
export function signManifest(manifest: Manifest, key: SigningKey): string {
  return signJws(canonicalJson(manifest), key, MANIFEST_TYPE);
}

/**
 * Reads a manifest from its object. Throws BACKUP_DAMAGED where it is not the manifest of `backup` that the installation's
 * archiver signed, BACKUP_FORMAT where another version of the product did.
 */
export function openManifest(text: string, backup: string, install: string, trusted: TrustedKeys): Manifest {
  const jws = parseJws(text);
  const key = jws === undefined ? undefined : trusted.get(jws.header.kid);
  if (jws?.header.typ !== MANIFEST_TYPE) throw damaged(backup, 'is no signed manifest');
  if (key?.principal !== SIGNER) throw damaged(backup, `is signed by ${jws.header.kid}, not by this home's archiver`);
  if (!verifyJws(jws, key.publicKey)) throw damaged(backup, 'does not carry a signature of its content');
  const document: unknown = JSON.parse(jws.payload.toString('utf8'));
  requireFormat(document, backup);
  const read = manifestSchema.safeParse(document);
  if (!read.success)
    throw damaged(backup, `lacks what its format asks for: ${read.error.issues[0]?.path.join('.') ?? ''}`);
  if (read.data.id !== backup || read.data.install !== install)
    throw damaged(backup, `is that of another backup, ${read.data.id} of installation ${read.data.install}`);
  return read.data;
}

function requireFormat(document: unknown, backup: string): void {
  const format =
    typeof document === 'object' && document !== null && 'format' in document ? document.format : undefined;
  if (format === MANIFEST_FORMAT) return;
  throw new WardlineError(
    'BACKUP_FORMAT',
    `backup ${backup} has the format ${JSON.stringify(format ?? null)}; this version of wardline reads format ${MANIFEST_FORMAT}`,
    { hint: 'restore it with the version that made it' },
  );
}

function damaged(backup: string, what: string): WardlineError {
  return new WardlineError('BACKUP_DAMAGED', `the manifest of backup ${backup} ${what}`, {
    hint: 'see which backups are whole: wardline backup list',
  });
}
