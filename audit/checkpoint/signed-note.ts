import { createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import { WardlineError } from '../../core/errors/errors.ts';

/** The one signature type that is made and accepted here: Ed25519 (C2SP signed-note, section "Signature types"). */
const ED25519 = 0x01;
const KEY_BYTES = 32;
const KEY_ID_BYTES = 4;
/** More than the 16 signatures that every verifier must accept; far more than a log and its witnesses need. */
const MAXIMUM_NOTE_BYTES = 64 * 1024;
const SIGNATURE_LINE = /^— (\S+) ([A-Za-z0-9+/]+={0,2})$/u;

/** Who a note's signature is of: a name and an Ed25519 public key. */
export interface NoteVerifier {
  readonly name: string;
  /** The first 4 bytes of SHA-256(name || 0x0A || 0x01 || key), big-endian: names a key, and proves nothing. */
  readonly keyId: number;
  readonly publicKey: KeyObject;
}

export interface NoteSigner extends NoteVerifier {
  readonly privateKey: KeyObject;
}

/**
 * Signs a text as a note (C2SP signed-note). Equal text and key give equal bytes.
 * Throws a RangeError where the text is none that a note can carry.
 */
export function signNote(text: string, signer: NoteSigner): string {
  if (!text.endsWith('\n') || !isNoteText(text)) throw new RangeError('a note is lines without control characters');
  const id = Buffer.alloc(KEY_ID_BYTES);
  id.writeUInt32BE(signer.keyId);
  const signature = Buffer.concat([id, sign(null, Buffer.from(text, 'utf8'), signer.privateKey)]);
  return `${text}\n— ${signer.name} ${signature.toString('base64')}\n`;
}

/**
 * Returns a note's text once one signature of a known key holds and none of a known key fails; signatures of unknown keys
 * are passed over (C2SP signed-note). Throws AUDIT_CHECKPOINT_INVALID otherwise: then nothing of the text may be believed.
 */
export function openNote(note: Uint8Array, verifiers: readonly NoteVerifier[]): string {
  const { text, signatures } = parseNote(note);
  let held = 0;
  for (const { name, keyId, signature } of signatures) {
    const known = verifiers.find((verifier) => verifier.name === name && verifier.keyId === keyId);
    if (known === undefined) continue;
    if (!verify(null, Buffer.from(text, 'utf8'), known.publicKey, signature))
      throw invalid(`the signature of ${name} does not fit`);
    held += 1;
  }
  if (held === 0) throw invalid('it bears no signature of a known key');
  return text;
}

interface NoteSignature {
  readonly name: string;
  readonly keyId: number;
  readonly signature: Buffer;
}

function parseNote(note: Uint8Array): { readonly text: string; readonly signatures: readonly NoteSignature[] } {
  if (note.length > MAXIMUM_NOTE_BYTES || !isUtf8(note)) throw invalid('it is too long, or no UTF-8');
  const whole = Buffer.from(note).toString('utf8');
  // The last empty line divides: a text may have empty lines of its own.
  const end = whole.lastIndexOf('\n\n');
  if (end < 0 || !whole.endsWith('\n') || !isNoteText(whole))
    throw invalid('it does not have the form of a signed note');
  const text = whole.slice(0, end + 1);
  const lines = whole.slice(end + 2, -1).split('\n');
  return { text, signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): NoteSignature {
  const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? [];
  const bytes = Buffer.from(encoded ?? '', 'base64');
  if (name === undefined || !isKeyName(name) || bytes.length <= KEY_ID_BYTES || bytes.toString('base64') !== encoded)
    throw invalid('one of its signature lines has no proper form');
  return { name, keyId: bytes.readUInt32BE(0), signature: bytes.subarray(KEY_ID_BYTES) };
}

/** Makes a signer of an Ed25519 private key. Throws a RangeError where name or key cannot be a note's. */
export function noteSigner(name: string, privateKey: KeyObject): NoteSigner {
  const publicKey = createPublicKey(privateKey);
  return { ...noteVerifier(name, publicKey), privateKey };
}

/** Makes a verifier of an Ed25519 public key. Throws a RangeError where name or key cannot be a note's. */
export function noteVerifier(name: string, publicKey: KeyObject): NoteVerifier {
  if (!isKeyName(name)) throw new RangeError(`${name} cannot name a key: it is empty, or has a space or a plus in it`);
  return { name, keyId: keyIdOf(name, rawKey(publicKey)), publicKey };
}

/** A verifier's key as one line, `name+keyid+base64(type, key)`: the form that Go's `golang.org/x/mod/sumdb/note` reads. */
export function verifierKeyText({ name, keyId, publicKey }: NoteVerifier): string {
  const typed = Buffer.concat([Buffer.from([ED25519]), rawKey(publicKey)]);
  return `${name}+${keyId.toString(16).padStart(2 * KEY_ID_BYTES, '0')}+${typed.toString('base64')}`;
}

/** Reads such a line. Throws AUDIT_CHECKPOINT_INVALID where it is none, or where its key id is not that of its key. */
export function parseVerifierKey(line: string): NoteVerifier {
  const [, name = '', id = '', encoded = ''] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/u.exec(line) ?? [];
  const typed = Buffer.from(encoded, 'base64');
  if (typed.length !== 1 + KEY_BYTES || typed[0] !== ED25519 || typed.toString('base64') !== encoded)
    throw invalid('a key is not an Ed25519 key in the form name+keyid+base64', 'write keys as `audit key` prints them');
  const raw = typed.subarray(1);
  const publicKey = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') },
    format: 'jwk',
  });
  const verifier = noteVerifier(name, publicKey);
  if (verifier.keyId !== Number.parseInt(id, 16))
    throw invalid(`the key of ${name} has another key id than its line says`, 'write keys as `audit key` prints them');
  return verifier;
}

function keyIdOf(name: string, raw: Uint8Array): number {
  const typed = Buffer.concat([Buffer.from(`${name}\n`, 'utf8'), Buffer.from([ED25519]), raw]);
  return hash('sha256', typed, 'buffer').readUInt32BE(0);
}

function rawKey(publicKey: KeyObject): Buffer {
  const { crv, x } = publicKey.export({ format: 'jwk' });
  if (crv !== 'Ed25519') throw new RangeError('a note is signed with an Ed25519 key');
  return Buffer.from(x ?? '', 'base64url');
}

function isKeyName(name: string): boolean {
  return name !== '' && !/[\s+]/u.test(name);
}

/** Well-formed text whose only control characters (those below U+0020) are newlines. */
function isNoteText(text: string): boolean {
  if (!text.isWellFormed()) return false;
  for (const character of text) if (character < ' ' && character !== '\n') return false;
  return true;
}

function invalid(
  reason: string,
  hint = 'keep the note as evidence, and check that the key is the right one',
): WardlineError {
  return new WardlineError('AUDIT_CHECKPOINT_INVALID', `a signed note does not verify: ${reason}`, { hint });
}
