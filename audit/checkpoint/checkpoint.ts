import { WardlineError } from '../../core/errors/errors.ts';
import { HASH_BYTES } from '../merkle/hash.ts';
import { openNote, signNote, type NoteSigner, type NoteVerifier } from './signed-note.ts';

/** A tree head of one log (C2SP tlog-checkpoint): its first `size` leaves have this RFC 6962 root. */
export interface Checkpoint {
  /** Which log: its name, and the name of the key that signs it. */
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

const SIZE = /^(0|[1-9]\d{0,15})$/;

/** The checkpoint as a note signed by the log's key, whose name must be the origin. Equal checkpoints give equal bytes. */
export function signCheckpoint(checkpoint: Checkpoint, signer: NoteSigner): string {
  if (signer.name !== checkpoint.origin) throw new RangeError(`${signer.name} does not sign for ${checkpoint.origin}`);
  return signNote(checkpointText(checkpoint), signer);
}

/**
 * Verifies a checkpoint that one of these keys signed for its own log. Extension lines are accepted and passed over.
 * Throws AUDIT_CHECKPOINT_INVALID.
 */
export function openCheckpoint(note: string | Uint8Array, verifiers: readonly NoteVerifier[]): Checkpoint {
  const bytes = typeof note === 'string' ? Buffer.from(note, 'utf8') : note;
  const checkpoint = parseText(openNote(bytes, verifiers));
  // Another log's key may have signed as well; only the log's own makes it that log's checkpoint.
  openNote(
    bytes,
    verifiers.filter(({ name }) => name === checkpoint.origin),
  );
  return checkpoint;
}

/** Reads the origin that a note claims, verified by nobody: only to look for the key that it must then verify with. */
export function claimedOrigin(note: string): string {
  return note.slice(0, Math.max(0, note.indexOf('\n')));
}

function checkpointText({ origin, size, root }: Checkpoint): string {
  if (!Number.isSafeInteger(size) || size < 0 || root.length !== HASH_BYTES)
    throw new RangeError('a checkpoint has a size of 0 or more and a root of 32 bytes');
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

function parseText(text: string): Checkpoint {
  const [origin = '', size = '', encoded = '', ...extensions] = text.slice(0, -1).split('\n');
  const root = Buffer.from(encoded, 'base64');
  const isWellFormed =
    origin !== '' &&
    SIZE.test(size) &&
    Number.isSafeInteger(Number(size)) &&
    root.length === HASH_BYTES &&
    root.toString('base64') === encoded &&
    !extensions.includes('');
  if (isWellFormed) return { origin, size: Number(size), root };
  throw new WardlineError(
    'AUDIT_CHECKPOINT_INVALID',
    'a signed note is no checkpoint: origin, size and root are expected',
    {
      hint: 'keep the note as evidence',
    },
  );
}
