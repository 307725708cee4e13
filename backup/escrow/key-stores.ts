import { hash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { PrincipalAccess } from '../../core/connection.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from '../../core/files.ts';
import type { Home } from '../../core/home.ts';
import { principalAccess } from '../../security/certs/identities.ts';
import { readKeyStoreFile } from '../../security/keyring/key-store/key-store-file.ts';
import { PRINCIPAL_NAMES, type PrincipalName } from '../../security/principals/names.ts';
import { escrowNames } from '../naming.ts';
import { readObject, type ObjectStore } from '../objects/object-store.ts';
import { decryptBytes, encryptBytes } from '../recipients/age-file.ts';

const MOST_KEY_STORE_BYTES = 16 * 1024 * 1024;

/** What was escrowed last, so that only what changed is sent again: SHA-256 of each key store, and to where and whom. */
const recordSchema = z.strictObject({
  address: z.string(),
  recipients: z.array(z.string()),
  digests: z.record(z.string(), z.string()),
});

export interface KeyStoreEscrow {
  readonly store: ObjectStore;
  readonly home: Home;
  readonly recipients: readonly string[];
  /** Where a principal's key store is. One that is not on this machine is its own machine's to escrow. */
  readonly access: (principal: PrincipalName) => PrincipalAccess | undefined;
}

/**
 * Escrows each key store that is here and is not escrowed as it stands. Its passphrase is not: that is on the recovery
 * sheet, so that the recovery identity alone opens no key. Returns whose were sent.
 */
export async function escrowKeyStores(parts: KeyStoreEscrow): Promise<readonly PrincipalName[]> {
  const { store, home, recipients, access } = parts;
  const names = escrowNames(home.install);
  const last = lastRecord(home);
  const same = last?.address === store.address && last.recipients.join() === recipients.join();
  const digests: Record<string, string> = same ? { ...last.digests } : {};
  const sent: PrincipalName[] = [];
  for (const principal of PRINCIPAL_NAMES) {
    const content = readIfPresent(access(principal)?.keyStore ?? '');
    if (content === undefined) continue;
    const digest = hash('sha256', content, 'base64url');
    const name = names.keyStore(principal);
    if (digests[principal] === digest && (await store.stat(name)) !== undefined) continue;
    await store.put(name, await encryptBytes(recipients, Buffer.from(content)));
    digests[principal] = digest;
    sent.push(principal);
  }
  if (sent.length > 0) {
    makeSecretFolder(home.paths.backup);
    const record = { address: store.address, recipients: [...recipients], digests };
    writeFileAtomic(recordPath(home), `${JSON.stringify(record)}\n`);
  }
  return sent;
}

export interface KeyStoreRestore {
  readonly store: ObjectStore;
  /** The installation that was lost. */
  readonly install: string;
  readonly identities: readonly string[];
  /** Of the key stores, by principal, from the recovery sheet. */
  readonly passphrases: Readonly<Record<string, string>>;
  /** Where they go. A key store that stands there with other content is not replaced: USAGE. */
  readonly home: Home;
}

/**
 * Brings the escrowed key stores of the principals whose passphrases are given into a home. Each is opened before it is
 * put in its place: KEY_STORE_UNREADABLE where a passphrase is another one's. Safe to call again after a failure.
 */
export async function restoreKeyStores(parts: KeyStoreRestore): Promise<readonly PrincipalName[]> {
  const { store, install, identities, passphrases, home } = parts;
  const wanted = PRINCIPAL_NAMES.filter((principal) => passphrases[principal] !== undefined);
  for (const principal of wanted) {
    const object = await readObject(store, escrowNames(install).keyStore(principal), MOST_KEY_STORE_BYTES);
    const content = (await decryptBytes(identities, object)).toString('utf8');
    await placeKeyStore(principalAccess(home, principal), content, passphrases[principal] ?? '', home);
  }
  return wanted;
}

async function placeKeyStore(access: PrincipalAccess, content: string, passphrase: string, home: Home): Promise<void> {
  const standing = readIfPresent(access.keyStore);
  if (standing !== undefined && standing !== content)
    throw new WardlineError('USAGE', `${access.keyStore} is another key store`, {
      hint: 'restore key stores into a home that has none: before its first `wardline up`',
    });
  const aside = mkdtempSync(join(home.path, 'key-store-'));
  try {
    const files = { keyStore: join(aside, 'store'), keyStorePassphrase: join(aside, 'passphrase') };
    writeFileAtomic(files.keyStore, content);
    writeFileAtomic(files.keyStorePassphrase, passphrase);
    await readKeyStoreFile(files);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
  makeSecretFolder(dirname(access.keyStore));
  // The passphrase first: a store without one would be taken for a damaged one.
  writeFileAtomic(access.keyStorePassphrase, passphrase);
  writeFileAtomic(access.keyStore, content);
}

function lastRecord(home: Home): z.infer<typeof recordSchema> | undefined {
  try {
    return recordSchema.parse(JSON.parse(readIfPresent(recordPath(home)) ?? ''));
  } catch {
    // Without it, or with a damaged one, all are sent again.
    return undefined;
  }
}

function recordPath(home: Home): string {
  return join(home.paths.backup, 'escrowed-key-stores.json');
}
