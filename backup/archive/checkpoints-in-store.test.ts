import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { scratch } from '../../test/support/scratch.ts';
import { signCheckpoint } from '../../audit/checkpoint/checkpoint.ts';
import { noteSigner, noteVerifier } from '../../audit/checkpoint/signed-note.ts';
import { originOf } from '../../audit/store/epochs.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { folderStore } from '../objects/folder-store.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { checkpointPublisher, checkpointsInStore } from './checkpoints-in-store.ts';
import type { TopicMessage } from './chunk/message.ts';

const INSTALL = 'install-of-a-test';
const files = scratch();
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519').privateKey;

let made = 0;
let store: ObjectStore;
beforeEach(() => {
  store = folderStore(join(files.folder, String((made += 1))));
});

function note(epoch: number, size: number, key = privateKey): string {
  const origin = originOf(INSTALL, epoch);
  return signCheckpoint({ origin, size, root: Buffer.alloc(32, size) }, noteSigner(origin, key));
}

function messages(...notes: readonly string[]): readonly TopicMessage[] {
  return notes.map((text, offset) => ({
    ...{ partition: 0, offset, timestamp: 0, key: Buffer.from('1'), value: Buffer.from(text), headers: [] },
  }));
}

const publisher = () =>
  checkpointPublisher({ store, install: INSTALL, verifier: (origin) => noteVerifier(origin, publicKey) });

async function kept(): Promise<readonly string[]> {
  const away: string[] = [];
  const notes = await checkpointsInStore(store, INSTALL, (reason) => away.push(reason)).latest();
  expect(away).toEqual([]);
  return notes;
}

describe('checkpoints in the backup store', () => {
  it('are the largest one of each epoch', async () => {
    expect(await kept()).toEqual([]);
    const publishing = publisher();
    publishing.take(messages(note(1, 5), note(1, 9), note(2, 3)));
    await publishing.publish();
    expect(await kept()).toEqual([note(1, 9), note(2, 3)]);
  });

  it('are not replaced by smaller ones, whoever published them', async () => {
    const first = publisher();
    first.take(messages(note(1, 9)));
    await first.publish();
    for (const later of [first, publisher()]) {
      later.take(messages(note(1, 5)));
      await later.publish();
    }
    expect(await kept()).toEqual([note(1, 9)]);
  });

  it('are the notary’s alone', async () => {
    const publishing = publisher();
    publishing.take(messages(note(1, 5), note(1, 9, stranger), 'no note at all'));
    await publishing.publish();
    expect(await kept()).toEqual([note(1, 5)]);
  });

  it('take the place of what is none', async () => {
    await store.put(`${INSTALL}/checkpoints/1`, Buffer.from(note(1, 9, stranger)));
    const publishing = publisher();
    publishing.take(messages(note(1, 5)));
    await publishing.publish();
    expect(await kept()).toEqual([note(1, 5)]);
  });

  it('hold nobody up where the store is away or holds something else, which is told', async () => {
    const away: string[] = [];
    const list = async function* () {
      yield await Promise.reject(new WardlineError('STORE_UNREACHABLE', 'the store says no'));
    };
    const absent = checkpointsInStore({ ...store, list }, INSTALL, (reason) => away.push(reason));
    expect(await absent.latest()).toEqual([]);
    expect(away).toEqual(['the store says no']);
    await store.put(`${INSTALL}/checkpoints/1`, Buffer.alloc(100_000));
    expect(await checkpointsInStore(store, INSTALL, (reason) => away.push(reason)).latest()).toEqual([]);
    expect(away.at(-1)).toContain('checkpoints/1 is larger');
  });
});
