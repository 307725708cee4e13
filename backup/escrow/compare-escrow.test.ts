import { randomBytes } from 'node:crypto';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SensitiveClass } from '../../core/classification.ts';
import type { EscrowedKey } from '../../security/keyring/key-escrow.ts';
import { memoryDekTable, type MemoryDekTable } from '../../test/support/memory-dek-table.ts';
import { temporaryHome, type TemporaryHome } from '../../test/support/temporary-home.ts';
import { folderStore } from '../objects/folder-store.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { compareEscrow, repairEscrow, type EscrowComparison } from './compare-escrow.ts';
import { createKeyEscrow, type SubjectEscrow } from './key-escrow.ts';

const SOUND = { missing: [], destroyed: [], strays: [], unmarked: [] };

let recipient: string;
let temporary: TemporaryHome;
let store: ObjectStore;
let escrow: SubjectEscrow;
let tables: Record<SensitiveClass, MemoryDekTable>;
let comparison: EscrowComparison;

beforeAll(async () => {
  recipient = await identityToRecipient(await generateX25519Identity());
});
beforeEach(() => {
  temporary = temporaryHome();
  store = folderStore(temporary.home.paths.escrowStore);
  const integrityKey = (): Buffer => Buffer.alloc(32, 7);
  escrow = createKeyEscrow({ store, install: 'install', recipients: () => [recipient], integrityKey });
  tables = { personal: memoryDekTable(), restricted: memoryDekTable() };
  comparison = { store, install: 'install', contract: 'c', escrow, table: (classification) => tables[classification] };
});
afterEach(() => temporary.remove());

function key(subject: string, different: Partial<EscrowedKey> = {}): EscrowedKey {
  const kid = randomBytes(18).toString('base64url');
  return {
    ...{ contract: 'c', subject, classification: 'personal', generation: 1, kid, createdAt: 5, wrapped: 'w' },
    ...different,
  };
}

async function made(subject: string, different: Partial<EscrowedKey> = {}): Promise<EscrowedKey> {
  const one = key(subject, different);
  await escrow.keep(one);
  await tables[one.classification].insertIfAbsent(one);
  return one;
}

describe('the escrow beside the key tables', () => {
  it('is sound where each key has its copy, whatever its class and generation', async () => {
    await made('s1');
    await made('s1', { generation: 2 });
    await made('s2', { classification: 'restricted' });
    expect(await compareEscrow(comparison)).toEqual(SOUND);
  });

  it('lacks what was made before there was one, and has it after a repair', async () => {
    const without = key('s1');
    await tables.personal.insertIfAbsent(without);
    const found = await compareEscrow(comparison);
    expect(found).toEqual({ ...SOUND, missing: [without] });
    await repairEscrow(comparison, found);
    expect(await compareEscrow(comparison)).toEqual(SOUND);
  });

  it('keeps what is destroyed, and does not say so, until it is reached', async () => {
    await made('s1');
    await made('s1', { generation: 2 });
    await made('s2');
    await tables.personal.destroy('s1', 9);
    const found = await compareEscrow(comparison);
    expect(found.destroyed).toHaveLength(2);
    expect(found.unmarked).toEqual([{ contract: 'c', subject: 's1', classification: 'personal', erasedAt: 9 }]);
    await repairEscrow(comparison, found);
    expect(await compareEscrow(comparison)).toEqual(SOUND);
  });

  it('tells a copy that lost its place from one whose key is being made', async () => {
    await made('s1');
    const stray = key('s1');
    await escrow.keep(stray);
    await escrow.keep(key('s1', { generation: 2 }));
    await escrow.keep(key('s3'));
    const found = await compareEscrow(comparison);
    expect(found).toEqual({ ...SOUND, strays: [expect.stringContaining(stray.kid)] });
    await repairEscrow(comparison, found);
    expect(await compareEscrow(comparison)).toEqual(SOUND);
  });

  it('does not miss a key that is made while it looks', async () => {
    const late = key('s1');
    const found = await compareEscrow({
      ...comparison,
      store: {
        ...store,
        async *list(prefix) {
          yield* store.list(prefix);
          await escrow.keep(late);
          await tables.personal.insertIfAbsent(late);
        },
      },
    });
    expect(found).toEqual(SOUND);
  });
});
