import { randomBytes } from 'node:crypto';
import { Decrypter, Encrypter } from 'age-encryption';
import { WardlineError } from '../../core/errors/errors.ts';
import { decryptPayload, encryptPayload, NONCE_BYTES, payloadKey } from './payload-stream.ts';

/** Longest header that is read: one of a few hundred recipients. */
const MOST_HEADER_BYTES = 64 * 1024;
const PIECE_BYTES = 256 * 1024;
/** How the last line of a header begins, with the line break before it: no other line of a header begins so. */
const LAST_LINE = Buffer.from('\n---');

/**
 * Encrypts a body to recipients (`age1…`) as an age v1 file (C2SP age.md): whoever encrypts cannot decrypt. The header is
 * made by the age library, the payload by OpenSSL's cipher. Memory does not grow with the body.
 */
export async function* encryptTo(
  recipients: readonly string[],
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const { header, fileKey } = await newHeader(recipients);
  const nonce = randomBytes(NONCE_BYTES);
  yield Buffer.concat([header, nonce]);
  yield* encryptPayload(payloadKey(fileKey, nonce), body);
}

/**
 * Decrypts an age v1 file with the first of `identities` (`AGE-SECRET-KEY-1…`) that it was encrypted to. Each part is
 * genuine when it is yielded; the whole is only once the end is reached without an error. Memory does not grow with it.
 * Throws IDENTITY_WRONG where none of the identities fits, OBJECT_DAMAGED where header or payload do not hold.
 */
export async function* decryptWith(
  identities: readonly string[],
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]();
  try {
    const { header, rest } = await readHeader(iterator);
    const fileKey = await openHeader(identities, header);
    const { taken: nonce, rest: payload } = await readExactly(iterator, rest, NONCE_BYTES);
    yield* decryptPayload(payloadKey(fileKey, nonce), following(payload, iterator));
  } finally {
    await iterator.return?.();
  }
}

/** Encrypts a small body that is in memory. */
export async function encryptBytes(recipients: readonly string[], bytes: Uint8Array): Promise<Buffer> {
  return collect(encryptTo(recipients, only(bytes)));
}

/** Decrypts a small file that is in memory, whole or not at all. Errors as `decryptWith`. */
export async function decryptBytes(identities: readonly string[], bytes: Uint8Array): Promise<Buffer> {
  return collect(decryptWith(identities, only(bytes)));
}

/** A header as the library makes it, and the file key in it, which a recipient of our own sees without adding a line. */
async function newHeader(recipients: readonly string[]): Promise<{ header: Uint8Array; fileKey: Uint8Array }> {
  if (recipients.length === 0) throw new WardlineError('INTERNAL', 'nothing is encrypted to nobody');
  const encrypter = new Encrypter();
  let fileKey: Uint8Array | undefined;
  try {
    for (const recipient of recipients) encrypter.addRecipient(recipient);
  } catch (cause) {
    throw new WardlineError('CONFIGURATION_INVALID', 'a recipient is not one of age', { cause });
  }
  encrypter.addRecipient({
    wrapFileKey(key) {
      fileKey = key;
      return [];
    },
  });
  const empty = await encrypter.encrypt(new Uint8Array());
  if (fileKey === undefined) throw new WardlineError('INTERNAL', 'the age library made a header without a file key');
  // What follows the header of an empty file: its nonce and one tag.
  return { header: empty.subarray(0, empty.length - NONCE_BYTES - 16), fileKey };
}

async function openHeader(identities: readonly string[], header: Uint8Array): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  const asked = { afterAll: false };
  try {
    for (const identity of identities) decrypter.addIdentity(identity);
  } catch {
    // Without its cause: that might quote the identity.
    throw new WardlineError('IDENTITY_WRONG', 'what was given is not an age identity', { hint: IDENTITY_HINT });
  }
  // Asked last, and only where no identity before it fits.
  decrypter.addIdentity({
    unwrapFileKey() {
      asked.afterAll = true;
      return null;
    },
  });
  try {
    return await decrypter.decryptHeader(header);
  } catch (cause) {
    if (asked.afterAll)
      throw new WardlineError('IDENTITY_WRONG', 'the object was not encrypted to this recovery identity', {
        hint: IDENTITY_HINT,
        cause,
      });
    throw new WardlineError('OBJECT_DAMAGED', 'the header of an encrypted object is damaged', { cause });
  }
}

const IDENTITY_HINT = 'give the identity that was the recovery identity when this was made: --identity FILE';

type Bytes = AsyncIterator<Uint8Array>;

/** Reads up to and with the line of the header's MAC. */
async function readHeader(source: Bytes): Promise<{ header: Buffer; rest: Buffer }> {
  let read = Buffer.alloc(0);
  for (;;) {
    const line = read.indexOf(LAST_LINE);
    const end = line < 0 ? -1 : read.indexOf('\n', line + LAST_LINE.length);
    if (end >= 0) return { header: read.subarray(0, end + 1), rest: read.subarray(end + 1) };
    const next = read.length > MOST_HEADER_BYTES ? undefined : await source.next();
    if (next === undefined || next.done === true)
      throw new WardlineError('OBJECT_DAMAGED', 'the object does not begin with a whole age header');
    read = Buffer.concat([read, next.value]);
  }
}

async function readExactly(source: Bytes, first: Buffer, bytes: number): Promise<{ taken: Buffer; rest: Buffer }> {
  let read = first;
  while (read.length < bytes) {
    const next = await source.next();
    if (next.done === true) throw new WardlineError('OBJECT_DAMAGED', 'the object ends within its header');
    read = Buffer.concat([read, next.value]);
  }
  return { taken: read.subarray(0, bytes), rest: read.subarray(bytes) };
}

async function* following(first: Uint8Array, source: Bytes): AsyncGenerator<Uint8Array> {
  yield first;
  for (let next = await source.next(); next.done !== true; next = await source.next()) yield next.value;
}

/** In pieces: what is made of a part on the way is there several times for a moment. */
async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES)
    yield await Promise.resolve(bytes.subarray(at, at + PIECE_BYTES));
}

async function collect(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part);
  return Buffer.concat(all);
}
