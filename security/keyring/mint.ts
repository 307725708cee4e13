import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { JWK } from 'jose';
import type { Clock } from '../../core/clock.ts';
import type { PrincipalAccess } from '../../core/connection.ts';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from '../../core/files.ts';
import type { Home } from '../../core/home.ts';
import { principalAccess } from '../certs/identities.ts';
import { PRINCIPAL_NAMES, type PrincipalName } from '../principals/names.ts';
import { PRINCIPALS, type Holding } from '../principals/table.ts';
import { DATA_KEY_BYTES, KID_BYTES } from './data-key.ts';
import { signingKeyOf, topUpDeadLetterKeys } from './dead-letter-keys.ts';
import { readKeyStoreFile, writeKeyStoreFile } from './key-store/key-store-file.ts';
import { publishCheckpointKey } from './checkpoint-key.ts';
import {
  checkpointKey,
  dataKeks,
  integrityMaster,
  newCheckpointKey,
  newDataKek,
  namingKey,
  newIntegrityMaster,
  newNamingKey,
  pinnedSigner,
  SIGNER_KID,
} from './key-store/stored-keys.ts';

const PASSPHRASE_BYTES = 32;

/** Cryptographically secure random bytes. */
type Random = (bytes: number) => Buffer;

/**
 * Gives every principal a key store with a passphrase of its own, holding what the table of principals says: the shared
 * data KEK, the shared integrity master, the notary's checkpoint key, the archiver's naming
 * key, the dead-letter keys of the days ahead. Run it after the certificates.
 * Idempotent, also after a crash: a shared key that one store holds is copied to the store that lacks it, and nothing
 * that a store holds is ever replaced. Files are 0600, folders 0700.
 * Throws KEY_STORE_UNREADABLE where a store that stands cannot be opened: a new one would make its data unreadable.
 */
export async function mintKeyStores(home: Home, clock: Clock, random: Random = randomBytes): Promise<void> {
  const accesses = new Map(PRINCIPAL_NAMES.map((name) => [name, principalAccess(home, name)]));
  for (const access of accesses.values()) ensurePassphrase(access, random);
  const stores = await readStores(accesses);
  const shared = sharedKeys([...stores.values()].flat(), random);
  const signer = publicSigner(principalAccess(home, 'operator'));
  await Promise.all(
    [...accesses].map(async ([name, access]) => {
      const stored = stores.get(name);
      const wanted = completed(stored ?? [], name, shared, signer);
      if (!isDeepStrictEqual(stored, wanted)) await writeKeyStoreFile(access, wanted);
    }),
  );
  const [signing] = shared.checkpoint ?? [];
  if (signing !== undefined) publishCheckpointKey(principalAccess(home, 'notary'), signing);
  const writers = PRINCIPAL_NAMES.filter(writesDeadLetters).map((name) => principalAccess(home, name));
  await topUpDeadLetterKeys(principalAccess(home, 'operator'), writers, clock);
}

type SharedKeys = Partial<Record<Holding, readonly JWK[]>>;

/** The shared keys wherever one store has them, else new ones. */
function sharedKeys(held: readonly JWK[], random: Random): SharedKeys {
  const keks = [...new Map(dataKeks(held).map((key) => [key.kid, key])).values()];
  const master = integrityMaster(held) ?? newIntegrityMaster(random(DATA_KEY_BYTES));
  return {
    dataKek: keks.length > 0 ? keks : [newDataKek(random(KID_BYTES).toString('base64url'), random(DATA_KEY_BYTES))],
    integrity: [master],
    checkpoint: [checkpointKey(held) ?? newCheckpointKey(ed25519Pair())],
    naming: [namingKey(held) ?? newNamingKey(random(DATA_KEY_BYTES))],
  };
}

/** What a store has, and after it what it lacks. Only the pinned signer follows a change. */
function completed(stored: readonly JWK[], name: PrincipalName, shared: SharedKeys, signer: JWK): readonly JWK[] {
  const lacking = PRINCIPALS[name].holds
    .flatMap((holding) => shared[holding] ?? [])
    .filter((key) => !stored.some((other) => other.kid === key.kid && other.alg === key.alg));
  if (!writesDeadLetters(name)) return [...stored, ...lacking];
  const pinned = pinnedSigner(stored);
  return isDeepStrictEqual(pinned, signer)
    ? [...stored, ...lacking]
    : [...stored.filter((key) => key !== pinned), ...lacking, signer];
}

function ed25519Pair(): { readonly x: string; readonly d: string } {
  const { x = '', d = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return { x, d };
}

function writesDeadLetters(name: PrincipalName): boolean {
  return PRINCIPALS[name].kafka.some((right) => right.on === 'dead-letter topic' && right.allow?.includes('WRITE'));
}

/** Stores of principals that hold nothing are not opened once they stand: each opening costs a tenth of a second. */
async function readStores(
  accesses: ReadonlyMap<PrincipalName, PrincipalAccess>,
): Promise<ReadonlyMap<PrincipalName, readonly JWK[]>> {
  const standing = [...accesses].filter(([, access]) => existsSync(access.keyStore));
  return new Map(
    await Promise.all(
      standing.map(
        async ([name, access]) =>
          [name, PRINCIPALS[name].holds.length > 0 ? await readKeyStoreFile(access) : []] as const,
      ),
    ),
  );
}

function publicSigner(operator: PrincipalAccess): JWK {
  const { crv, kty, x } = createPublicKey(createPrivateKey(signingKeyOf(operator))).export({ format: 'jwk' });
  return { kty: kty ?? '', crv: crv ?? '', x: x ?? '', use: 'sig', kid: SIGNER_KID };
}

/** A passphrase is made only where no store depends on it. */
function ensurePassphrase(access: PrincipalAccess, random: Random): void {
  makeSecretFolder(dirname(access.keyStore));
  if ((readIfPresent(access.keyStorePassphrase) ?? '') !== '' || existsSync(access.keyStore)) return;
  writeFileAtomic(access.keyStorePassphrase, random(PASSPHRASE_BYTES).toString('base64url'));
}
