import { createHmac, generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compactDecrypt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WardlineError } from '../../../core/errors/errors.ts';
import { makeSecretFolder, writeFileAtomic } from '../../../core/files.ts';
import type { Home } from '../../../core/home.ts';
import { lengthPrefixed } from '../../../core/encoding/length-prefixed.ts';
import { testDataKey } from '../../../test/support/data-key.ts';
import { codeOf, codeOfAsync } from '../../../test/support/failure.ts';
import { temporaryHome, type TemporaryHome } from '../../../test/support/temporary-home.ts';
import { principalAccess } from '../../certs/identities.ts';
import { PRINCIPAL_NAMES, type PrincipalName } from '../../principals/names.ts';
import { openForDay, sealForDay } from '../../sealed-field/dead-letter.ts';
import { destroyDeadLetterKeys } from '../dead-letter-keys.ts';
import { openKeyStore, type KeyStore } from './key-store.ts';
import { PBES2_ROUNDS, writeKeyStoreFile } from './key-store-file.ts';
import { mintKeyStores } from '../mint.ts';

const clock = { now: () => Date.parse('2026-03-01T12:00:00Z') };
const TODAY = '2026-03-01';
let temporary: TemporaryHome;
let home: Home;

const access = (name: PrincipalName) => principalAccess(home, name);
const opened = (name: PrincipalName): Promise<KeyStore> => openKeyStore(access(name));
const content = (name: PrincipalName): string => readFileSync(access(name).keyStore, 'utf8');
const publicKeys = (name: PrincipalName): string => join(dirname(access(name).keyStore), 'dead-letter-keys.jws');

async function openedByJose(name: PrincipalName): Promise<{ alg?: string; kid: string; k?: string }[]> {
  const { plaintext } = await compactDecrypt(content(name).trim(), readFileSync(access(name).keyStorePassphrase), {
    keyManagementAlgorithms: ['PBES2-HS512+A256KW'],
    maxPBES2Count: PBES2_ROUNDS,
  });
  return (JSON.parse(new TextDecoder().decode(plaintext)) as { keys: { alg?: string; kid: string; k?: string }[] })
    .keys;
}

beforeAll(async () => {
  temporary = temporaryHome();
  home = temporary.home;
  for (const name of PRINCIPAL_NAMES) {
    makeSecretFolder(dirname(access(name).signingKey));
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileAtomic(access(name).signingKey, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  }
  await mintKeyStores(home, clock);
});
afterAll(() => temporary.remove());

describe('minted key stores', () => {
  it('are one a principal, each with a passphrase of its own, for the owner alone', () => {
    const passphrases = PRINCIPAL_NAMES.map((name) => readFileSync(access(name).keyStorePassphrase, 'utf8'));
    expect(new Set(passphrases).size).toBe(PRINCIPAL_NAMES.length);
    for (const name of PRINCIPAL_NAMES) {
      for (const path of [access(name).keyStore, access(name).keyStorePassphrase]) {
        expect(statSync(path).mode & 0o777).toBe(0o600);
      }
      expect(statSync(dirname(access(name).keyStore)).mode & 0o777).toBe(0o700);
    }
  });

  it('are JWK sets that jose opens with the passphrase, behind at least 210,000 rounds', async () => {
    const store = content('source').trim();
    expect(decodeProtectedHeader(store)).toMatchObject({ alg: 'PBES2-HS512+A256KW', enc: 'A256GCM' });
    expect(decodeProtectedHeader(store)['p2c']).toBe(PBES2_ROUNDS);
    expect(PBES2_ROUNDS).toBeGreaterThanOrEqual(210_000);
    const keys = await openedByJose('source');
    expect(keys.map((key) => key.alg ?? key.kid)).toEqual(['A256KW', 'HS256', 'operator']);
  });

  it('hold what the table of principals says, and nothing else', async () => {
    const dataKey = testDataKey();
    const holders = {
      wrap: [] as string[],
      integrity: [] as string[],
      open: [] as string[],
      seal: [] as string[],
      name: [] as string[],
    };
    for (const name of PRINCIPAL_NAMES) {
      const store = await opened(name);
      if ((await codeOfAsync(() => store.wrapDek(dataKey))) === 'no error') holders.wrap.push(name);
      if (codeOf(() => store.integrityKey('c')) === 'no error') holders.integrity.push(name);
      if (codeOf(() => store.deadLetterPrivateKey(TODAY)) === 'no error') holders.open.push(name);
      if ((await codeOfAsync(() => store.deadLetterPublicKey(TODAY))) === 'no error') holders.seal.push(name);
      if (codeOf(() => store.namingKey()) === 'no error') holders.name.push(name);
    }
    expect(holders).toEqual({
      wrap: ['source', 'reader'],
      integrity: ['source', 'worker'],
      open: ['operator'],
      seal: ['source', 'worker'],
      name: ['archiver'],
    });
    const notary = await opened('notary');
    expect(await codeOfAsync(() => notary.wrapDek(dataKey))).toBe('KEY_NOT_FOUND');
    expect(codeOf(() => notary.integrityKey('c'))).toBe('KEY_NOT_FOUND');
    expect(codeOf(() => notary.deadLetterPrivateKey(TODAY))).toBe('KEY_NOT_FOUND');
    expect(await codeOfAsync(() => notary.deadLetterPublicKey(TODAY))).toBe('KEY_NOT_FOUND');
  });

  it('share the KEK: what the source wraps the reader unwraps', async () => {
    const dataKey = testDataKey();
    const wrapped = await (await opened('source')).wrapDek(dataKey);
    const unwrapped = await (await opened('reader')).unwrapDek(wrapped, dataKey);
    expect(unwrapped.key.equals(dataKey.key)).toBe(true);
    expect(await codeOfAsync(async () => (await opened('worker')).unwrapDek(wrapped, dataKey))).toBe('KEY_NOT_FOUND');
  });

  it('derive the integrity key by HKDF, one for each contract', async () => {
    const [source, worker] = [await opened('source'), await opened('worker')];
    expect(source.integrityKey('smart-home').equals(worker.integrityKey('smart-home'))).toBe(true);
    expect(source.integrityKey('smart-home').equals(source.integrityKey('clinic'))).toBe(false);
    const keys = await openedByJose('worker');
    const master = Buffer.from(keys.find((key) => key.kid === 'integrity')?.k ?? '', 'base64url');
    // RFC 5869 written out: extract with no salt, then one block of expand.
    const extracted = createHmac('sha256', Buffer.alloc(32)).update(master).digest();
    const info = lengthPrefixed(['wardline integrity key', 'smart-home']);
    const expanded = createHmac('sha256', extracted).update(info).update(Buffer.of(1)).digest();
    expect(source.integrityKey('smart-home')).toEqual(expanded);
  });

  it('get the naming key where they were minted before there was one', async () => {
    const { keyStore } = access('archiver');
    const before = (await opened('archiver')).namingKey();
    expect(before).toHaveLength(32);
    await writeKeyStoreFile(access('archiver'), []);
    await mintKeyStores(home, clock);
    const after = (await opened('archiver')).namingKey();
    expect(after).toHaveLength(32);
    expect(after.equals(before)).toBe(false);
    const stored = readFileSync(keyStore);
    await mintKeyStores(home, clock);
    expect(readFileSync(keyStore).equals(stored)).toBe(true);
  });

  it('are left alone by minting again', async () => {
    const before = PRINCIPAL_NAMES.map(content);
    await mintKeyStores(home, clock);
    expect(PRINCIPAL_NAMES.map(content)).toEqual(before);
  });

  it('get a shared key back from the store that still has it', async () => {
    const dataKey = testDataKey();
    const wrapped = await (await opened('reader')).wrapDek(dataKey);
    rmSync(access('source').keyStore);
    await mintKeyStores(home, clock);
    expect((await (await opened('source')).unwrapDek(wrapped, dataKey)).key.equals(dataKey.key)).toBe(true);
  });

  it.each([
    ['a damaged store', () => writeFileSync(access('source').keyStore, 'damaged')],
    ['a wrong passphrase', () => writeFileSync(access('source').keyStorePassphrase, 'wrong')],
    ['a missing passphrase', () => rmSync(access('source').keyStorePassphrase)],
  ])('are refused, and never replaced: %s', async (_, damage) => {
    const { keyStore, keyStorePassphrase } = access('source');
    const [store, passphrase] = [readFileSync(keyStore), readFileSync(keyStorePassphrase)];
    damage();
    const damaged = readFileSync(keyStore);
    expect(await codeOfAsync(() => opened('source'))).toBe('KEY_STORE_UNREADABLE');
    expect(await codeOfAsync(() => mintKeyStores(home, clock))).toBe('KEY_STORE_UNREADABLE');
    expect(readFileSync(keyStore).equals(damaged)).toBe(true);
    writeFileAtomic(keyStore, store);
    writeFileAtomic(keyStorePassphrase, passphrase);
    expect(await codeOfAsync(() => opened('source'))).toBe('no error');
  });
});

describe('dead-letter keys', () => {
  const place = ['smart-home', '17'];

  it('are there for today and ninety days ahead; the operator opens what a writer seals', async () => {
    const [worker, operator] = [await opened('worker'), await opened('operator')];
    for (const day of [TODAY, '2026-05-30']) {
      const sealed = await sealForDay(await worker.deadLetterPublicKey(day), Buffer.from('payload'), place);
      expect((await openForDay(sealed, operator.deadLetterPrivateKey(day), place)).toString()).toBe('payload');
    }
    expect(await codeOfAsync(() => worker.deadLetterPublicKey('2026-05-31'))).toBe('KEY_NOT_YET_PUBLISHED');
    expect(await codeOfAsync(() => worker.deadLetterPublicKey('2026-02-28'))).toBe('KEY_NOT_YET_PUBLISHED');
  });

  it('of more days are seen by a store that is already open; days gone by stay as they were', async () => {
    const worker = await opened('worker');
    const before = (await opened('operator')).deadLetterPrivateKey(TODAY);
    await worker.deadLetterPublicKey(TODAY);
    await mintKeyStores(home, { now: () => clock.now() + 86_400_000 });
    expect((await worker.deadLetterPublicKey('2026-05-31')).kid).toBe('2026-05-31');
    expect((await opened('operator')).deadLetterPrivateKey(TODAY)).toEqual(before);
  });

  it('hold no private half where they are published', () => {
    for (const name of ['source', 'worker'] as const) {
      const payload = readFileSync(publicKeys(name), 'utf8').split('.')[1] ?? '';
      const { keys } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { keys: object[] };
      expect(keys.length).toBeGreaterThan(90);
      expect(keys.filter((key) => 'd' in key)).toEqual([]);
    }
    expect(existsSync(publicKeys('reader'))).toBe(false);
  });

  it('are refused where their list was not signed by the operator', async () => {
    const path = publicKeys('worker');
    const list = readFileSync(path, 'utf8');
    const [header = '', payload = '', signature = ''] = list.split('.');
    const forged = Buffer.from(payload, 'base64url').toString().replace('"x":"', '"x":"A');
    writeFileSync(path, `${header}.${Buffer.from(forged).toString('base64url')}.${signature}`);
    const worker = await opened('worker');
    expect(await codeOfAsync(() => worker.deadLetterPublicKey(TODAY))).toBe('KEY_STORE_UNREADABLE');
    rmSync(path);
    expect(await codeOfAsync(() => worker.deadLetterPublicKey(TODAY))).toBe('KEY_NOT_YET_PUBLISHED');
    await mintKeyStores(home, clock);
    expect((await worker.deadLetterPublicKey(TODAY)).kid).toBe(TODAY);
  });

  it('stay where their destruction does not get on the record', async () => {
    const late = { now: () => Date.parse('2026-04-01T00:00:00Z') };
    const refuse = (): Promise<void> => Promise.reject(new WardlineError('AUDIT_UNAVAILABLE', 'no log'));
    expect(await codeOfAsync(() => destroyDeadLetterKeys(access('operator'), 0, late, refuse))).toBe(
      'AUDIT_UNAVAILABLE',
    );
    expect((await opened('operator')).deadLetterPrivateKey(TODAY).kid).toBe(TODAY);
  });

  it('once destroyed are gone, are not made again, and leave the later days', async () => {
    const at = (time: string) => ({ now: () => Date.parse(time) });
    const retention = 30 * 86_400_000;
    const told: (readonly string[])[] = [];
    const destroy = (time: string) =>
      destroyDeadLetterKeys(access('operator'), retention, at(time), (days) => {
        told.push(days);
        return Promise.resolve();
      });
    // A letter of the last moment of TODAY is kept until thirty days after that day's end.
    expect(await destroy('2026-03-31T23:59:59.999Z')).toEqual([]);
    expect(told).toEqual([]);
    expect(await destroy('2026-04-01T00:00:00Z')).toEqual([TODAY]);
    expect(told).toEqual([[TODAY]]);
    await mintKeyStores(home, { now: () => Date.parse('2026-03-02T00:00:00Z') });
    const operator = await opened('operator');
    expect(codeOf(() => operator.deadLetterPrivateKey(TODAY))).toBe('KEY_NOT_FOUND');
    expect(operator.deadLetterPrivateKey('2026-03-02').kid).toBe('2026-03-02');
  });
});
