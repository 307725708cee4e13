import { isUtf8 } from 'node:buffer';
import { WardlineError } from '../../core/errors/errors.ts';
import { HASH_BYTES, leafHash } from '../merkle/hash.ts';
import { verifyInclusion } from '../merkle/inclusion.ts';
import { openCheckpoint, type Checkpoint } from './checkpoint.ts';
import type { NoteVerifier } from './signed-note.ts';

const FIRST_LINE = 'c2sp.org/tlog-proof@v1';
const INDEX = /^(0|[1-9]\d{0,15})$/;
/** A tree of 2^53 leaves has no longer path. */
const LONGEST_PATH = 53;
/** An event of 64 KiB in base64, a path and a note. */
const MAXIMUM_PROOF_BYTES = 256 * 1024;

/** That one entry stands in a log, verifiable offline (C2SP tlog-proof). */
export interface TlogProof {
  /** The entry itself, as `extra`: whoever checks the proof computes the leaf from it. */
  readonly entry: Uint8Array;
  readonly index: number;
  /** Audit path of RFC 6962 section 2.1.1, from the leaf's sibling upward. */
  readonly path: readonly Uint8Array[];
  /** The signed checkpoint, verbatim. */
  readonly checkpoint: string;
}

/** Writes the proof as text. */
export function tlogProofText({ entry, index, path, checkpoint }: TlogProof): string {
  return [
    FIRST_LINE,
    `extra ${Buffer.from(entry).toString('base64')}`,
    `index ${index}`,
    ...path.map((hash) => Buffer.from(hash).toString('base64')),
    '',
    checkpoint,
  ].join('\n');
}

/** Reads a proof without believing it. Throws AUDIT_PROOF_INVALID where it does not have the form of one with its entry. */
export function parseTlogProof(bytes: Uint8Array): TlogProof {
  if (bytes.length > MAXIMUM_PROOF_BYTES || !isUtf8(bytes)) throw invalid('it is too long, or no UTF-8');
  const text = Buffer.from(bytes).toString('utf8');
  const end = text.indexOf('\n\n');
  const [first, extra = '', index = '', ...path] = text.slice(0, Math.max(0, end)).split('\n');
  if (first !== FIRST_LINE) throw invalid(`its first line is not ${FIRST_LINE}`);
  if (!extra.startsWith('extra ')) throw invalid('it holds no entry in `extra`');
  const at = index.startsWith('index ') ? index.slice('index '.length) : '';
  if (!INDEX.test(at) || path.length > LONGEST_PATH) throw invalid('its index or its path has no proper form');
  return {
    entry: decoded(extra.slice('extra '.length)),
    index: Number(at),
    path: path.map((line) => {
      const hash = decoded(line);
      if (hash.length !== HASH_BYTES) throw invalid('its path holds what is no hash');
      return hash;
    }),
    checkpoint: text.slice(end + 2),
  };
}

/** What a proof shows, once it holds. */
export interface ProvedEntry {
  readonly entry: Uint8Array;
  readonly index: number;
  readonly checkpoint: Checkpoint;
}

/**
 * Checks a proof in this order: its form, the checkpoint's signature by one of these keys, the entry's path to the
 * checkpoint's root. Needs nothing but its arguments. Throws AUDIT_PROOF_INVALID or AUDIT_CHECKPOINT_INVALID.
 */
export function checkTlogProof(bytes: Uint8Array, verifiers: readonly NoteVerifier[]): ProvedEntry {
  const { entry, index, path, checkpoint: note } = parseTlogProof(bytes);
  const checkpoint = openCheckpoint(note, verifiers);
  const claim = { index, size: checkpoint.size, leafHash: leafHash(entry), root: checkpoint.root, proof: path };
  if (!verifyInclusion(claim)) throw invalid('its path does not lead from the entry to the root of the checkpoint');
  return { entry, index, checkpoint };
}

function decoded(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw invalid('one of its lines is not in base64');
  return bytes;
}

function invalid(reason: string): WardlineError {
  return new WardlineError('AUDIT_PROOF_INVALID', `the proof does not hold: ${reason}`, {
    hint: 'keep the file as evidence, and check that it is complete',
  });
}
