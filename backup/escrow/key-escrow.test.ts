import { randomBytes } from 'node:crypto';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { beforeAll, beforeEach, afterEach, describe, expect, it } from 'vitest';
import type { EscrowedKey } from '../../security/keyring/key-escrow.ts';
import { codeOfAsync } from '../../test/support/failure.ts';
import { temporaryHome, type TemporaryHome } from '../../test/support/temporary-home.ts';
import { escrowNames } from '../naming.ts';
import { folderStore } from '../objects/folder-store.ts';
import { readObject, type ObjectStore } from '../objects/object-store.ts';
import { decryptBytes, encryptBytes } from '../recipients/age-file.ts';
import { erasedText, keyText, parseErased, parseKey } from './documents.ts';
import { createKeyEscrow, type SubjectEscrow } from './key-escrow.ts';
import { listEscrow, type EscrowEntry } from './listing.ts';

const INSTALL = '7c8d2f0e-0000-4000-8000-000000000000';
const INTEGRITY_KEY = Buffer.alloc(32, 7);

let identity: string;
let recipient: string;
let temporary: TemporaryHome;
let store: ObjectStore;
let escrow: SubjectEscrow;

beforeAll(async () => {
  identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
});
beforeEach(() => {
  temporary = temporaryHome();
  store = folderStore(temporary.home.paths.escrowStore);
  escrow = createKeyEscrow({
    ...{ store, install: INSTALL },
    recipients: () => [recipient],
    integrityKey: () => INTEGRITY_KEY,
  });
});
afterEach(() => temporary.remove());

function key(different: Partial<EscrowedKey> = {}): EscrowedKey {
  return {
    ...{ contract: 'smart-home', subject: 'home-0001', classification: 'personal', generation: 1 },
    ...{ kid: randomBytes(18).toString('base64url'), createdAt: 1_772_000_000_000, wrapped: 'a.b.c.d.e' },
    ...different,
  };
}

async function listed(prefix = escrowNames(INSTALL).keys()): Promise<readonly EscrowEntry[]> {
  const entries: EscrowEntry[] = [];
  for await (const entry of listEscrow(store, prefix)) entries.push(entry);
  return entries;
}

describe('the escrow of data keys', () => {
  it('keeps a key as one object that the recovery identity opens', async () => {
    const kept = key();
    await escrow.keep(kept);
    const [entry] = await listed();
    expect(entry).toMatchObject({ kind: 'key', classification: 'personal', generation: 1, kid: kept.kid });
    const name = entry?.name ?? '';
    const text = await decryptBytes([identity], await readObject(store, name));
    expect(parseKey(text, name)).toEqual(kept);
    expect(
      await codeOfAsync(async () => decryptBytes([await generateX25519Identity()], await readObject(store, name))),
    ).toBe('IDENTITY_WRONG');
  });

  it('names nobody: neither subject nor contract is in a name or readable in an object', async () => {
    await escrow.keep(key());
    await escrow.erase('smart-home', 'home-0002', 0);
    for (const { name } of await listed()) {
      const bytes = await readObject(store, name);
      for (const word of ['home-000', 'smart', 'a.b.c'])
        expect(`${name}${bytes.toString('latin1')}`).not.toContain(word);
    }
  });

  it('holds two keys of one generation side by side, and takes back the one it is told to', async () => {
    const [won, lost] = [key(), key()];
    await Promise.all([won, lost].map((each) => escrow.keep(each)));
    await escrow.takeBack(lost);
    await escrow.takeBack(lost);
    expect((await listed()).map((entry) => entry.kind === 'key' && entry.kid)).toEqual([won.kid]);
  });

  it('erases a subject in all classes and generations, states it, and leaves the others', async () => {
    const others = [key({ subject: 'home-00010' }), key({ contract: 'clinic' }), key({ subject: 'home-0002' })];
    const gone = [key(), key({ generation: 2 }), key({ classification: 'restricted' })];
    for (const each of [...others, ...gone]) await escrow.keep(each);
    expect(await escrow.erase('smart-home', 'home-0001', 1234)).toBe(3);
    const entries = await listed();
    expect(new Set(entries.flatMap((entry) => (entry.kind === 'key' ? [entry.kid] : [])))).toEqual(
      new Set(others.map((each) => each.kid)),
    );
    const marks = entries.filter((entry) => entry.kind === 'erased');
    expect(marks.map((entry) => entry.classification)).toEqual(['personal', 'restricted']);
    for (const { name, classification, tag } of marks) {
      const text = await decryptBytes([identity], await readObject(store, name));
      expect(parseErased(text, name, () => INTEGRITY_KEY)).toEqual({
        ...{ contract: 'smart-home', subject: 'home-0001', classification, erasedAt: 1234 },
      });
      expect(tag).toBe(escrow.tag('smart-home', 'home-0001'));
    }
    expect(await escrow.erase('smart-home', 'home-0001', 1234)).toBe(0);
  });

  it('states the erasure before it removes a key, so that a crash in between readmits nobody', async () => {
    await escrow.keep(key());
    const broken = createKeyEscrow({
      store: { ...store, remove: () => Promise.reject(new Error('crash')) },
      ...{ install: INSTALL, recipients: () => [recipient], integrityKey: () => INTEGRITY_KEY },
    });
    await expect(broken.erase('smart-home', 'home-0001', 0)).rejects.toThrow('crash');
    expect((await listed()).map((entry) => entry.kind).toSorted()).toEqual(['erased', 'key']);
    expect(await escrow.erase('smart-home', 'home-0001', 0)).toBe(1);
  });

  it('encrypts to whoever the recipients are by then', async () => {
    const later = await generateX25519Identity();
    const recipients = [recipient];
    const changing = createKeyEscrow({
      ...{ store, install: INSTALL, recipients: () => recipients, integrityKey: () => INTEGRITY_KEY },
    });
    await changing.keep(key());
    recipients[0] = await identityToRecipient(later);
    await changing.keep(key({ generation: 2 }));
    const [first, second] = await listed();
    const opened = async (by: string, entry: EscrowEntry | undefined) =>
      codeOfAsync(async () => decryptBytes([by], await readObject(store, entry?.name ?? '')));
    expect([await opened(identity, first), await opened(later, first)]).toEqual(['no error', 'IDENTITY_WRONG']);
    expect([await opened(identity, second), await opened(later, second)]).toEqual(['IDENTITY_WRONG', 'no error']);
  });
});

describe('what an object of the escrow holds', () => {
  it('is refused where it is something else', () => {
    for (const text of ['', '{}', 'null', keyText(key()).toString().replace('"format":1', '"format":2')])
      expect(() => parseKey(Buffer.from(text), 'name')).toThrow(/does not hold/);
  });

  it('erases nobody where whoever wrote it had no integrity key', async () => {
    const erased = { contract: 'c', subject: 's', classification: 'personal', erasedAt: 5 } as const;
    const forged = erasedText(erased, randomBytes(32));
    expect(() => parseErased(forged, 'name', () => INTEGRITY_KEY)).toThrow(/not written by this installation/);
    const moved = erasedText(erased, INTEGRITY_KEY).toString().replace('"subject":"s"', '"subject":"t"');
    expect(() => parseErased(Buffer.from(moved), 'name', () => INTEGRITY_KEY)).toThrow(/not written by/);
    const written = await decryptBytes([identity], await encryptBytes([recipient], erasedText(erased, INTEGRITY_KEY)));
    expect(parseErased(written, 'name', () => INTEGRITY_KEY)).toEqual(erased);
  });
});
