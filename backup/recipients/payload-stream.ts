import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { WardlineError } from '../../core/errors/errors.ts';

/**
 * The payload of an age v1 file (C2SP age.md, "Payload"; the STREAM construction): 64 KiB chunks, each under
 * ChaCha20-Poly1305 with a nonce of an 11-byte big-endian counter and one byte that marks the last chunk. The cipher is
 * OpenSSL's, which is several times faster than one in JavaScript.
 */
export const NONCE_BYTES = 16;
const CHUNK_BYTES = 64 * 1024;
const TAG_BYTES = 16;
const CIPHER = 'chacha20-poly1305';
const CIPHER_OPTIONS = { authTagLength: TAG_BYTES } as const;

/** The key of one file's payload, from the file key and the nonce that follows the header. */
export function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', fileKey, nonce, 'payload', 32));
}

/** Encrypts a body of any size; yields one chunk with its tag at a time. */
export async function* encryptPayload(key: Uint8Array, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let counter = 0;
  for await (const { bytes, last } of chunksOf(body, CHUNK_BYTES)) {
    const cipher = createCipheriv(CIPHER, key, nonceOf(counter, last), CIPHER_OPTIONS);
    const sealed = cipher.update(bytes);
    cipher.final();
    yield Buffer.concat([sealed, cipher.getAuthTag()]);
    counter += 1;
  }
}

/**
 * Decrypts a payload; yields each chunk once its tag is checked. Throws OBJECT_DAMAGED at the first chunk that does not
 * fit, and where the last one is missing, empty after others, or followed by anything: only a payload that was read to
 * its end without an error is whole.
 */
export async function* decryptPayload(key: Uint8Array, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let counter = 0;
  for await (const { bytes, last } of chunksOf(body, CHUNK_BYTES + TAG_BYTES)) {
    const text = openChunk(key, nonceOf(counter, last), bytes);
    if (text === undefined || (text.length === 0 && counter > 0))
      throw new WardlineError(
        'OBJECT_DAMAGED',
        `chunk ${counter} of an encrypted object is ${last ? 'damaged, or the object is cut off' : 'damaged'}`,
      );
    if (text.length > 0) yield text;
    counter += 1;
  }
}

function openChunk(key: Uint8Array, nonce: Uint8Array, chunk: Buffer): Buffer | undefined {
  if (chunk.length < TAG_BYTES) return undefined;
  const cipher = createDecipheriv(CIPHER, key, nonce, CIPHER_OPTIONS);
  cipher.setAuthTag(chunk.subarray(chunk.length - TAG_BYTES));
  const text = cipher.update(chunk.subarray(0, chunk.length - TAG_BYTES));
  try {
    cipher.final();
    return text;
  } catch {
    return undefined;
  }
}

function nonceOf(counter: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(counter, 5, 6);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

/** Cuts a body into pieces of one size. The last may be shorter, and is empty only where the whole body is. */
async function* chunksOf(
  body: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<{ readonly bytes: Buffer; readonly last: boolean }> {
  const buffer = Buffer.allocUnsafe(size);
  let used = 0;
  for await (const part of body) {
    for (let at = 0; at < part.length;) {
      // A full buffer is held back until a byte follows it: only then is it known not to be the last.
      if (used === size) {
        yield { bytes: buffer, last: false };
        used = 0;
      }
      const taken = Math.min(size - used, part.length - at);
      buffer.set(part.subarray(at, at + taken), used);
      used += taken;
      at += taken;
    }
  }
  yield { bytes: buffer.subarray(0, used), last: true };
}
