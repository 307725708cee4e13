import { createHash, hash, timingSafeEqual } from 'node:crypto';
import { lengthPrefixed } from '../../core/length-prefixed.ts';

/**
 * A record's digest: SHA-256 over message key and value, each preceded by its length in bytes as a 32-bit big-endian
 * number. It is the leaf of a window's Merkle tree, and what the MAC covers.
 */
export function recordDigest(messageKey: Uint8Array, value: Uint8Array): Buffer {
  if (value.length > COPY_LIMIT_BYTES) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(value.length);
    return createHash('sha256')
      .update(lengthPrefixed([messageKey]))
      .update(length)
      .update(value)
      .digest();
  }
  return sha256(lengthPrefixed([messageKey, value]));
}

/** The digest of a record that already lies as key and value, each behind its length: nothing is copied. */
export function digestOfLaidOut(bytes: Uint8Array): Buffer {
  return sha256(bytes);
}

/** Authenticates records of one contract version. */
export interface RecordMac {
  /** HMAC-SHA-256 over digest, contract id, contract version and write timestamp (microseconds, decimal), each length-prefixed. */
  mac(digest: Uint8Array, writeTimestamp: bigint): Buffer;
  /** Whether `mac` is the one that these have; takes the same time wherever they differ. */
  verify(digest: Uint8Array, writeTimestamp: bigint, mac: Uint8Array): boolean;
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

  const mac = (digest: Uint8Array, writeTimestamp: bigint): Buffer => {
    if (digest.length !== DIGEST_BYTES) throw new RangeError('a record digest has 32 bytes');
    const timestamp = writeTimestamp.toString();
    if (timestamp.length > TIMESTAMP_LIMIT_BYTES) throw new RangeError('a write timestamp has at most 20 characters');
    inner.set(digest, BLOCK_BYTES + 4);
    inner.writeUInt32BE(timestamp.length, timestampAt);
    inner.write(timestamp, timestampAt + 4, 'latin1');
    return hmac(inner.subarray(0, timestampAt + 4 + timestamp.length), outer);
  };
  return {
    mac,
    verify: (digest, writeTimestamp, given) =>
      given.length === DIGEST_BYTES && timingSafeEqual(mac(digest, writeTimestamp), given),
  };
}

/** HMAC-SHA-256 of one text, in the way that `createMac` does it. */
export function hmacSha256(key: Uint8Array, text: Uint8Array): Buffer {
  const inner = Buffer.alloc(BLOCK_BYTES + text.length);
  const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);
  layPads(key, inner, outer);
  inner.set(text, BLOCK_BYTES);
  return hmac(inner, outer);
}

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
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

function hmac(inner: Uint8Array, outer: Buffer): Buffer {
  outer.write(hash('sha256', inner, 'binary'), BLOCK_BYTES, 'latin1');
  return sha256(outer);
}

/** By way of a text: a one-shot hash into a buffer of its own costs three times as much. */
function sha256(bytes: Uint8Array): Buffer {
  return Buffer.from(hash('sha256', bytes, 'binary'), 'latin1');
}
