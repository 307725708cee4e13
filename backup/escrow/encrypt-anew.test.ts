import { randomBytes } from 'node:crypto';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { codeOfAsync } from '../../test/support/failure.ts';
import { temporaryHome, type TemporaryHome } from '../../test/support/temporary-home.ts';
import { escrowNames } from '../naming.ts';
import { folderStore } from '../objects/folder-store.ts';
import { readObject, type ObjectStore } from '../objects/object-store.ts';
import { decryptBytes, encryptBytes } from '../recipients/age-file.ts';
import { encryptEscrowAnew } from './encrypt-anew.ts';
import { createKeyEscrow, type SubjectEscrow } from './key-escrow.ts';

interface Pair {
  readonly identity: string;
  readonly recipient: string;
}

let former: Pair;
let newer: Pair;
let temporary: TemporaryHome;
let store: ObjectStore;
let escrow: SubjectEscrow;

async function pair(): Promise<Pair> {
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}

beforeAll(async () => {
  [former, newer] = [await pair(), await pair()];
});
beforeEach(() => {
  temporary = temporaryHome();
  store = folderStore(temporary.home.paths.escrowStore);
  const integrityKey = (): Buffer => Buffer.alloc(32, 7);
  escrow = createKeyEscrow({ store, install: 'install', recipients: () => [former.recipient], integrityKey });
});
afterEach(() => temporary.remove());

async function keep(subject: string): Promise<void> {
  const kid = randomBytes(18).toString('base64url');
  await escrow.keep({
    contract: 'c',
    subject,
    classification: 'personal',
    generation: 1,
    kid,
    createdAt: 5,
    wrapped: 'w',
  });
}

async function names(): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const { name } of store.list('')) all.push(name);
  return all;
}

const anew = (identities: readonly string[], over: ObjectStore = store) =>
  encryptEscrowAnew({ store: over, install: 'install', identities, recipients: [newer.recipient] });

describe('an escrow that is encrypted anew', () => {
  it('opens with the new identity and no longer with the former one', async () => {
    await keep('s1');
    await escrow.erase('c', 's2', 5);
    await store.put(
      escrowNames('install').keyStore('source'),
      await encryptBytes([former.recipient], Buffer.from('k')),
    );
    const before = await names();
    expect(await anew([former.identity])).toEqual({ encrypted: 4, left: 0 });
    expect(await names()).toEqual(before);
    for (const name of before) {
      const object = await readObject(store, name);
      expect(await codeOfAsync(() => decryptBytes([newer.identity], object))).toBe('no error');
      expect(await codeOfAsync(() => decryptBytes([former.identity], object))).toBe('IDENTITY_WRONG');
    }
  });

  it('stays as it is where the former identity is not here', async () => {
    await keep('s1');
    const [name = ''] = await names();
    const before = await readObject(store, name);
    expect(await anew([newer.identity])).toEqual({ encrypted: 0, left: 1 });
    expect(await readObject(store, name)).toEqual(before);
  });

  it('does not bring back a subject that is erased meanwhile', async () => {
    await keep('s1');
    const racing: ObjectStore = {
      ...store,
      async put(name, body) {
        if (name.includes('/keys/')) await escrow.erase('c', 's1', 5);
        return store.put(name, body);
      },
    };
    await anew([former.identity], racing);
    expect((await names()).every((name) => name.endsWith('.erased.age'))).toBe(true);
  });
});
