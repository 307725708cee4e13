import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeSecretFolder, writeFileAtomic } from '../../core/files.ts';
import { principalAccess } from '../../security/certs/identities.ts';
import { openKeyStore } from '../../security/keyring/key-store/key-store.ts';
import { readKeyStoreFile, writeKeyStoreFile } from '../../security/keyring/key-store/key-store-file.ts';
import { mintKeyStores } from '../../security/keyring/mint.ts';
import { PRINCIPAL_NAMES, type PrincipalName } from '../../security/principals/names.ts';
import { codeOfAsync } from '../../test/support/failure.ts';
import { MINT_TIMEOUT, temporaryHome, type TemporaryHome } from '../../test/support/temporary-home.ts';
import { escrowNames } from '../naming.ts';
import { folderStore } from '../objects/folder-store.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { ensureRecovery, makeRecovery, readIdentities, readRecipients } from '../recipients/recovery.ts';
import { escrowKeyStores, restoreKeyStores } from './key-stores.ts';

const clock = { now: () => Date.parse('2026-03-01T12:00:00Z') };
let lost: TemporaryHome;
let store: ObjectStore;
const others: TemporaryHome[] = [];

const accessIn = (temporary: TemporaryHome) => (principal: PrincipalName) => principalAccess(temporary.home, principal);

beforeAll(async () => {
  lost = temporaryHome();
  for (const name of PRINCIPAL_NAMES) {
    makeSecretFolder(dirname(accessIn(lost)(name).signingKey));
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileAtomic(accessIn(lost)(name).signingKey, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  }
  await ensureRecovery(lost.home, clock);
  await mintKeyStores(lost.home, clock);
  store = folderStore(lost.home.paths.escrowStore);
}, MINT_TIMEOUT);
afterAll(() => {
  for (const temporary of [lost, ...others]) temporary.remove();
});

const escrow = () =>
  escrowKeyStores({ store, home: lost.home, recipients: readRecipients(lost.home), access: accessIn(lost) });

function newHome(): TemporaryHome {
  const made = temporaryHome();
  others.push(made);
  return made;
}

function passphrases(): Record<string, string> {
  const all: Record<string, string> = {};
  for (const name of PRINCIPAL_NAMES) all[name] = readFileSync(accessIn(lost)(name).keyStorePassphrase, 'utf8');
  return all;
}

const restore = (into: TemporaryHome, known = passphrases()) =>
  restoreKeyStores({
    ...{ store, install: lost.home.install, home: into.home, passphrases: known },
    identities: readIdentities(lost.home),
  });

describe('key stores in escrow', () => {
  it('are sent once, and again when they change, are gone from there, or others are to read them', async () => {
    expect(await escrow()).toEqual(PRINCIPAL_NAMES);
    expect(await escrow()).toEqual([]);
    const operator = accessIn(lost)('operator');
    await writeKeyStoreFile(operator, await readKeyStoreFile(operator));
    expect(await escrow()).toEqual(['operator']);
    await store.remove(escrowNames(lost.home.install).keyStore('source'));
    expect(await escrow()).toEqual(['source']);
    await makeRecovery(lost.home, clock);
    expect(await escrow()).toEqual(PRINCIPAL_NAMES);
  });

  it('come back into a new home with the passphrases of the sheet, and hold what they held', async () => {
    const made = newHome();
    expect(await restore(made)).toEqual(PRINCIPAL_NAMES);
    const [before, after] = [
      await openKeyStore(accessIn(lost)('source')),
      await openKeyStore(accessIn(made)('source')),
    ];
    expect(after.integrityKey('c').equals(before.integrityKey('c'))).toBe(true);
    for (const path of [accessIn(made)('source').keyStore, accessIn(made)('source').keyStorePassphrase])
      expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(made.home.path).filter((name) => name.startsWith('key-store-'))).toEqual([]);
    expect(await codeOfAsync(() => restore(made))).toBe('no error');
  });

  it('are not put in place with another passphrase, nor over another key store', async () => {
    const made = newHome();
    const wrong = { ...passphrases(), source: 'wrong' };
    expect(await codeOfAsync(() => restore(made, { source: wrong.source }))).toBe('KEY_STORE_UNREADABLE');
    expect(await codeOfAsync(() => openKeyStore(accessIn(made)('source')))).toBe('KEY_STORE_UNREADABLE');
    await restore(made, { source: passphrases()['source'] ?? '' });
    const source = accessIn(made)('source');
    await writeKeyStoreFile(source, await readKeyStoreFile(source));
    const standing = readFileSync(source.keyStore, 'utf8');
    expect(await codeOfAsync(() => restore(made))).toBe('USAGE');
    expect(readFileSync(source.keyStore, 'utf8')).toBe(standing);
  });

  it('do not hold their passphrases', async () => {
    await escrow();
    const said: string[] = [];
    for await (const { name } of store.list(escrowNames(lost.home.install).keyStores)) said.push(name);
    expect(said).toHaveLength(PRINCIPAL_NAMES.length);
    expect(await codeOfAsync(() => restore(newHome(), { source: '' }))).toBe('KEY_STORE_UNREADABLE');
  });
});
