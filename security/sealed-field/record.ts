import { createHash, hash, timingSafeEqual } from 'node:crypto';
import { lengthPrefixed } from '../../core/encoding/length-prefixed.ts';

export const DIGEST_BYTES = 32;

/**
 * A record's digest: SHA-256 over message key and value, each preceded by its length in bytes as a 32-bit big-endian
 * number. It is the leaf of a window's Merkle tree, and what the MAC covers.
 */
export function recordDigest(messageKey: Uint8Array, value: Uint8Array): Buffer {
  const digest = Buffer.alloc(DIGEST_BYTES);
  recordDigests()(messageKey, value, digest, 0);
  return digest;
}

/** Returns a function that writes a record's digest into `into` at `at`. It keeps one scratch buffer for all records. */
export function recordDigests(): (messageKey: Uint8Array, value: Uint8Array, into: Buffer, at: number) => void {
  let scratch = Buffer.allocUnsafeSlow(INITIAL_SCRATCH_BYTES);
  return (messageKey, value, into, at) => {
    const valueAt = messageKey.length + 8;
    const end = valueAt + value.length;
    if (end > COPY_LIMIT_BYTES) {
      hashWhereItLies(messageKey, value).copy(into, at);
      return;
    }
    if (end > scratch.length) scratch = Buffer.allocUnsafeSlow(Math.min(COPY_LIMIT_BYTES, end * 2));
    scratch.writeUInt32BE(messageKey.length, 0);
    scratch.set(messageKey, 4);
    scratch.writeUInt32BE(value.length, valueAt - 4);
    scratch.set(value, valueAt);
    into.write(hash('sha256', scratch.subarray(0, end), 'binary'), at, 'latin1');
  };
}

function hashWhereItLies(messageKey: Uint8Array, value: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(value.length);
  return createHash('sha256')
    .update(lengthPrefixed([messageKey]))
    .update(length)
    .update(value)
    .digest();
}

/** The digest of a record that already lies as key and value, each behind its length: nothing is copied. */
export function digestOfLaidOut(bytes: Uint8Array): Buffer {
  return sha256(bytes);
}

/** Authenticates records of one contract version. */
export interface RecordMac {
  /**
   * HMAC-SHA-256 over digest, contract id, contract version and write timestamp (microseconds, decimal), each
   * length-prefixed; as base64url. The digest stands in `digest` at `at`.
   */
  mac(digest: Buffer, writeTimestamp: bigint, at?: number): string;
  /** Whether `given`, base64url in ASCII, is the one that these have; takes the same time wherever they differ. */
  verify(digest: Buffer, writeTimestamp: bigint, given: Uint8Array, at?: number): boolean;
}

/**
 * Prepares the MAC of one contract version under its integrity key. The digest stands for key and value, so that the
 * value is read once and not twice.
 *
 * HMAC is H(key ^ opad, H(key ^ ipad, text)) (RFC 2104 section 2). Both padded keys are laid down once, each in front
 * of the place of its text, and each record then costs two one-shot hashes: several times as fast as an Hmac object.
 */
export function createMac(integrityKey: Uint8Array, contractId: string, contractVersion: string): RecordMac {
  const contract = lengthPrefixed([contractId, contractVersion]);
  const contractAt = BLOCK_BYTES + 4 + DIGEST_BYTES;
  const timestampAt = contractAt + contract.length;
  const inner = Buffer.alloc(timestampAt + 4 + TIMESTAMP_LIMIT_BYTES);
  const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);
  layPads(integrityKey, inner, outer);
  inner.writeUInt32BE(DIGEST_BYTES, BLOCK_BYTES);
  inner.set(contract, contractAt);

  const expected = Buffer.alloc(MAC_CHARACTERS);

  const mac = (digest: Buffer, writeTimestamp: bigint, at = 0): string => {
    if (digest.length < at + DIGEST_BYTES) throw new RangeError('a record digest has 32 bytes');
    const timestamp = writeTimestamp.toString();
    if (timestamp.length > TIMESTAMP_LIMIT_BYTES) throw new RangeError('a write timestamp has at most 20 characters');
    digest.copy(inner, BLOCK_BYTES + 4, at, at + DIGEST_BYTES);
    inner.writeUInt32BE(timestamp.length, timestampAt);
    inner.write(timestamp, timestampAt + 4, 'latin1');
    return hmac(inner.subarray(0, timestampAt + 4 + timestamp.length), outer);
  };
  return {
    mac,
    verify(digest, writeTimestamp, given, at) {
      if (given.length !== MAC_CHARACTERS) return false;
      expected.write(mac(digest, writeTimestamp, at), 'latin1');
      return timingSafeEqual(expected, given);
    },
  };
}

/** HMAC-SHA-256 of one text, in the way that `createMac` does it. */
export function hmacSha256(key: Uint8Array, text: Uint8Array): Buffer {
  const inner = Buffer.alloc(BLOCK_BYTES + text.length);
  const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);
  layPads(key, inner, outer);
  inner.set(text, BLOCK_BYTES);
  return Buffer.from(hmac(inner, outer), 'base64url');
}

const BLOCK_BYTES = 64;
/** 32 bytes as base64url without padding. */
const MAC_CHARACTERS = 43;
/** Above most messages; it grows with them. */
const INITIAL_SCRATCH_BYTES = 8 * 1024;
/** A 64-bit number with its sign. */
const TIMESTAMP_LIMIT_BYTES = 20;
/** Above this the value is hashed where it lies instead of being copied behind its length. */
const COPY_LIMIT_BYTES = 64 * 1024;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

function layPads(key: Uint8Array, inner: Buffer, outer: Buffer): void {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.set(key.length > BLOCK_BYTES ? sha256(key) : key);
  for (const [at, byte] of block.entries()) {
    inner[at] = byte ^ INNER_PAD;
    outer[at] = byte ^ OUTER_PAD;
  }
  block.fill(0);
}

/** As base64url. */
function hmac(inner: Uint8Array, outer: Buffer): string {
  outer.write(hash('sha256', inner, 'binary'), BLOCK_BYTES, 'latin1');
  return hash('sha256', outer, 'base64url');
}

/** By way of a text: a one-shot hash into a buffer of its own costs three times as much. */
function sha256(bytes: Uint8Array): Buffer {
  return Buffer.from(hash('sha256', bytes, 'binary'), 'latin1');
}
