import { randomBytes } from 'node:crypto';
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { codeOfAsync } from '../../test/support/failure.ts';
import { decryptBytes, decryptWith, encryptBytes, encryptTo } from './age-file.ts';

const CHUNK = 64 * 1024;
const SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 5_000_000];

let identity: string;
let recipient: string;
let other: string;
beforeAll(async () => {
  identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
  other = await generateX25519Identity();
});

async function* inParts(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

async function whole(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part);
  return Buffer.concat(all);
}

describe('an age file', () => {
  it.each(SIZES)('of %d bytes comes back, whatever the parts it is given in', async (size) => {
    const text = randomBytes(size);
    for (const part of [1000, CHUNK, 3 * CHUNK + 5]) {
      const file = await whole(encryptTo([recipient], inParts(text, part)));
      expect((await whole(decryptWith([identity], inParts(file, part + 7)))).equals(text)).toBe(true);
    }
  });

  it('comes back for any sizes of parts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 400 }),
        async (text, sent, read) => {
          const file = await whole(encryptTo([recipient], inParts(text, sent)));
          expect(await whole(decryptWith([identity], inParts(file, read)))).toEqual(Buffer.from(text));
        },
      ),
      { numRuns: 50 },
    );
  });

  it.each(SIZES)('of %d bytes is one to the age library, and the library’s to us', async (size) => {
    const text = randomBytes(size);
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    expect(Buffer.from(await decrypter.decrypt(await encryptBytes([recipient], text))).equals(text)).toBe(true);
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    expect((await decryptBytes([identity], await encrypter.encrypt(text))).equals(text)).toBe(true);
  });

  it('opens with the identity of each of its recipients, and with no other', async () => {
    const file = await encryptBytes([recipient, await identityToRecipient(other)], Buffer.from('both'));
    for (const each of [identity, other]) expect((await decryptBytes([each], file)).toString()).toBe('both');
    const stranger = await generateX25519Identity();
    expect((await decryptBytes([stranger, other], file)).toString()).toBe('both');
    expect(await codeOfAsync(() => decryptBytes([stranger], file))).toBe('IDENTITY_WRONG');
    expect(await codeOfAsync(() => decryptBytes([], file))).toBe('IDENTITY_WRONG');
    expect(await codeOfAsync(() => decryptBytes(['AGE-SECRET-KEY-1NONE'], file))).toBe('IDENTITY_WRONG');
  });

  it('never says an identity in an error', async () => {
    const typed = `${identity.slice(0, -1)}1`;
    const file = await encryptBytes([recipient], Buffer.from('x'));
    const error: unknown = await decryptBytes([typed], file).catch((thrown: unknown) => thrown);
    const said = error instanceof Error ? `${error.message} ${error.stack ?? ''} ${String(error.cause)}` : '';
    expect(said).not.toBe('');
    expect(said).not.toContain(typed.slice(16));
  });

  it('is made to nobody but recipients', async () => {
    expect(await codeOfAsync(() => encryptBytes([], Buffer.from('x')))).toBe('INTERNAL');
    expect(await codeOfAsync(() => encryptBytes(['age1nobody'], Buffer.from('x')))).toBe('CONFIGURATION_INVALID');
  });

  it('has the key and nonce of no other file', async () => {
    const [one, two] = await Promise.all([1, 2].map(() => encryptBytes([recipient], Buffer.alloc(100))));
    expect(one?.equals(two ?? Buffer.alloc(0))).toBe(false);
    expect(one?.subarray(-116).equals(two?.subarray(-116) ?? Buffer.alloc(0))).toBe(false);
  });

  it('is yielded chunk by chunk, while the rest is still to come', async () => {
    const file = await encryptBytes([recipient], randomBytes(4 * CHUNK));
    let read = 0;
    async function* counted() {
      for await (const part of inParts(file, 1024)) {
        read += part.length;
        yield part;
      }
    }
    const first = await decryptWith([identity], counted()).next();
    expect(first.value).toHaveLength(CHUNK);
    expect(read).toBeLessThan(CHUNK + 4096);
  });

  it('lets go of its source when the reader stops', async () => {
    const file = await encryptBytes([recipient], randomBytes(4 * CHUNK));
    let released = false;
    async function* source() {
      try {
        yield* inParts(file, 1024);
      } finally {
        released = true;
      }
    }
    for await (const part of decryptWith([identity], source())) if (part.length > 0) break;
    expect(released).toBe(true);
  });
});

describe('a damaged age file', () => {
  it('is refused wherever a bit of its payload is turned', async () => {
    const file = await encryptBytes([recipient], randomBytes(2 * CHUNK + 10));
    const start = file.indexOf('\n--- ') + 1;
    for (const at of [
      start,
      start + 10,
      start + 60,
      start + 70,
      file.length - CHUNK,
      file.length - 20,
      file.length - 1,
    ]) {
      const changed = Buffer.from(file);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await codeOfAsync(() => decryptBytes([identity], changed))).toBe('OBJECT_DAMAGED');
    }
  });

  it('is refused wherever a bit of its header is turned', async () => {
    const file = await encryptBytes([recipient], Buffer.from('short'));
    for (let at = 0; at < file.indexOf('\n--- '); at += 1) {
      const changed = Buffer.from(file);
      changed[at] = (changed[at] ?? 0) ^ 1;
      // A changed stanza may look like one of another recipient.
      expect(['OBJECT_DAMAGED', 'IDENTITY_WRONG']).toContain(
        await codeOfAsync(() => decryptBytes([identity], changed)),
      );
    }
  });

  it('is refused where it is cut off, at and around every boundary', async () => {
    const file = await encryptBytes([recipient], randomBytes(2 * CHUNK));
    const payload = file.indexOf('\n', file.indexOf('\n--- ') + 1) + 1;
    const chunk = CHUNK + 16;
    const ends = [payload, payload + 16, payload + 32, payload + 16 + chunk, payload + 16 + 2 * chunk];
    for (const end of [0, 1, 10, ...ends.flatMap((at) => [at - 1, at, at + 1])].filter((at) => at < file.length))
      expect(await codeOfAsync(() => decryptBytes([identity], file.subarray(0, end))), `${end}`).toBe('OBJECT_DAMAGED');
  });

  it('is refused where anything follows its last chunk, or chunks changed places', async () => {
    const file = await encryptBytes([recipient], randomBytes(2 * CHUNK));
    const chunk = CHUNK + 16;
    const head = file.subarray(0, file.length - 2 * chunk);
    const [first, second] = [file.subarray(-2 * chunk, -chunk), file.subarray(-chunk)];
    for (const changed of [
      [file, Buffer.alloc(1)],
      [file, second],
      [head, second, first],
      [head, second],
      [head, first],
    ])
      expect(await codeOfAsync(() => decryptBytes([identity], Buffer.concat(changed)))).toBe('OBJECT_DAMAGED');
  });

  it('is refused where it is something else, or a header without an end', async () => {
    for (const changed of [
      Buffer.from('hello'),
      Buffer.alloc(300_000, 'a'),
      Buffer.from('age-encryption.org/v2\n--- x\n'),
    ])
      expect(await codeOfAsync(() => decryptBytes([identity], changed))).toBe('OBJECT_DAMAGED');
  });
});
