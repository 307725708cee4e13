import { hash } from 'node:crypto';

/** Length of every hash in the tree, in bytes. */
export const HASH_BYTES = 32;

/** Domain separation (RFC 6962 section 2.1): without it a node could be passed off as a leaf. */
export const LEAF_PREFIX = 0;
export const NODE_PREFIX = 1;

/** The root of the empty tree: SHA-256 of nothing (RFC 6962 section 2.1). */
export const EMPTY_ROOT: Uint8Array = sha256(Buffer.alloc(0));

/** The hash of a leaf: SHA-256(0x00 || content), RFC 6962 section 2.1. */
export function leafHash(content: Uint8Array): Uint8Array {
  const input = Buffer.allocUnsafe(content.length + 1);
  input[0] = LEAF_PREFIX;
  input.set(content, 1);
  return sha256(input);
}

/** The hash of an inner node: SHA-256(0x01 || left || right), RFC 6962 section 2.1. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  const input = Buffer.allocUnsafe(1 + left.length + right.length);
  input[0] = NODE_PREFIX;
  input.set(left, 1);
  input.set(right, 1 + left.length);
  return sha256(input);
}

/** Taken as Latin-1 text, a digest costs half of what it costs as a buffer of its own. */
function sha256(input: Uint8Array): Uint8Array {
  const digest = Buffer.allocUnsafe(HASH_BYTES);
  digest.write(hash('sha256', input, 'binary'), 'binary');
  return digest;
}
