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

/** Encrypts a body of any size; yields the chunks, each with its tag, that a part of the body completes. */
export async function* encryptPayload(key: Uint8Array, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let counter = 0;
  for await (const chunks of chunksOf(body, CHUNK_BYTES)) {
    const sealed: Uint8Array[] = [];
    for (const { bytes, last } of chunks) {
      const cipher = createCipheriv(CIPHER, key, nonceOf(counter, last), CIPHER_OPTIONS);
      sealed.push(cipher.update(bytes));
      cipher.final();
      sealed.push(cipher.getAuthTag());
      counter += 1;
    }
    yield Buffer.concat(sealed);
  }
}

/**
 * Decrypts a payload; yields chunks once their tags are checked. Throws OBJECT_DAMAGED at the first chunk that does not
 * fit, after what came before it, and where the last one is missing, empty after others, or followed by anything: only a
 * payload that was read to its end without an error is whole.
 */
export async function* decryptPayload(key: Uint8Array, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let counter = 0;
  for await (const chunks of chunksOf(body, CHUNK_BYTES + TAG_BYTES)) {
    const opened: Uint8Array[] = [];
    let damaged: WardlineError | undefined;
    for (const { bytes, last } of chunks) {
      const text = openChunk(key, nonceOf(counter, last), bytes);
      if (text === undefined || (text.length === 0 && counter > 0)) {
        damaged = damagedChunk(counter, last);
        break;
      }
      opened.push(text);
      counter += 1;
    }
    const text = Buffer.concat(opened);
    if (text.length > 0) yield text;
    if (damaged !== undefined) throw damaged;
  }
}

function damagedChunk(counter: number, last: boolean): WardlineError {
  return new WardlineError(
    'OBJECT_DAMAGED',
    `chunk ${counter} of an encrypted object is ${last ? 'damaged, or the object is cut off' : 'damaged'}`,
  );
}

function openChunk(key: Uint8Array, nonce: Uint8Array, chunk: Uint8Array): Buffer | undefined {
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

interface Chunk {
  readonly bytes: Uint8Array;
  readonly last: boolean;
}

/**
 * Cuts a body into pieces of one size, and gives those that a part of it completes. The last piece may be shorter, and is
 * empty only where the whole body is.
 */
async function* chunksOf(body: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<readonly Chunk[]> {
  let held: Uint8Array = new Uint8Array();
  for await (const part of body) {
    const whole: Chunk[] = [];
    // What is held is filled up before the rest of the part is cut without being copied.
    let at = held.length === 0 ? 0 : Math.min(size - held.length, part.length);
    if (at > 0) held = Buffer.concat([held, part.subarray(0, at)]);
    // A full piece is held back until a byte follows it: only then is it known not to be the last.
    if (at < part.length) {
      if (held.length > 0) whole.push({ bytes: held, last: false });
      for (; part.length - at > size; at += size) whole.push({ bytes: part.subarray(at, at + size), last: false });
      held = part.subarray(at);
    }
    if (whole.length > 0) yield whole;
  }
  yield [{ bytes: held, last: true }];
}
