import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { INSTALL, life, message, testSigner, TOPIC } from '../../test/support/backup/archive-writer.ts';
import { scratch } from '../../test/support/scratch.ts';
import { createSemaphore } from '../../core/async/semaphore.ts';
import { sleep } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { folderStore } from '../objects/folder-store.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { storeNames } from '../naming.ts';
import { findChainEnd } from './chain-end.ts';
import type { ChunkSeal } from './chunk/seal.ts';
import { readSeals } from './read/chain.ts';
import { readArchive } from './read/read-archive.ts';
import { createTopicArchive, type TopicArchive } from './topic-archive.ts';

const files = scratch();
const { key, trusted } = testSigner();
const names = storeNames(INSTALL);

let identity: string;
let recipient: string;
let made = 0;
let store: ObjectStore;
let failures: unknown[];

beforeAll(async () => {
  identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
});

beforeEach(() => {
  store = folderStore(join(files.folder, String((made += 1))));
  failures = [];
});

/** Opens the topic where its chain in the store ends, as an archiver that starts does. */
async function open(changes: { chunkBytes?: number; chunkMilliseconds?: number; on?: ObjectStore } = {}) {
  const { chunkBytes = 1_000_000, chunkMilliseconds = 60_000, on = store } = changes;
  return createTopicArchive({
    ...{ store: on, install: INSTALL, topic: TOPIC, key, clock: { now: () => 0 }, chunkBytes, chunkMilliseconds },
    recipients: () => [recipient],
    from: await findChainEnd(store, INSTALL, TOPIC, trusted, undefined),
    retry: (work) => work(),
    writers: createSemaphore(1),
    onSealed: () => Promise.resolve(),
    onFailure: (error) => failures.push(error),
  });
}

const range = (partition: number, from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => message(partition, from + index));

async function seals(): Promise<ChunkSeal[]> {
  const found: ChunkSeal[] = [];
  for await (const seal of readSeals(store, INSTALL, TOPIC, trusted)) found.push(seal);
  return found;
}

async function offsets(partition: number): Promise<string[]> {
  const found: string[] = [];
  const options = { store, install: INSTALL, topic: TOPIC, identities: [identity], verify: trusted };
  for await (const messages of readArchive(options))
    for (const each of messages)
      if (each.partition === partition) found.push(`${each.life.slice(0, 4)}/${each.offset}`);
  return found;
}

describe('a topic on its way into the archive', () => {
  it('is written when it is told to, and nothing where nothing came', async () => {
    const topic = await open();
    await topic.flush();
    expect(await seals()).toEqual([]);
    topic.begin(0, life(0), 0);
    await topic.take(0, range(0, 0, 3));
    expect([topic.bytes > 0, topic.oldest, topic.sealed(0)]).toEqual([true, message(0, 0).timestamp, 0]);
    await topic.flush();
    expect([topic.bytes, topic.oldest, topic.sealed(0)]).toEqual([0, undefined, 3]);
    expect(await seals()).toHaveLength(1);
  });

  it('is written after a time, and once a chunk is full', async () => {
    const topic = await open({ chunkMilliseconds: 20 });
    topic.begin(0, life(0), 0);
    await topic.take(0, range(0, 0, 3));
    for (let waited = 0; topic.sealed(0) < 3 && waited < 5000; waited += 10) await sleep(10);
    expect(topic.sealed(0)).toBe(3);
    const full = await open({ chunkBytes: 400 });
    full.begin(0, life(0), 3);
    await full.take(0, range(0, 3, 60));
    await full.flush();
    const all = await seals();
    expect(all.length).toBeGreaterThan(5);
    for (const { bytes } of all.slice(1)) expect(bytes).toBeLessThan(500);
    expect(await offsets(0)).toEqual(range(0, 0, 60).map(({ offset }) => `0000/${offset}`));
  });

  it('goes on behind what the store holds, with the ends of all its partitions', async () => {
    const first = await open();
    for (const partition of [0, 1]) first.begin(partition, life(0), 0);
    await first.take(0, range(0, 0, 2));
    await first.flush();
    await first.take(1, range(1, 0, 5));
    await first.flush();
    const again = await open();
    expect([again.end(0)?.next, again.end(1)?.next, again.end(2)]).toEqual([2, 5, undefined]);
    again.begin(0, life(0), 2);
    await again.take(0, range(0, 2, 4));
    await again.flush();
    expect((await seals()).at(-1)?.ends.map(({ partition, next }) => [partition, next])).toEqual([
      [0, 4],
      [1, 5],
    ]);
  });

  it('begins another chunk where a partition begins another life', async () => {
    const topic = await open();
    topic.begin(0, life(0), 0);
    await topic.take(0, range(0, 0, 2));
    topic.begin(0, life(1), 0);
    await topic.take(0, [message(0, 0, life(1))]);
    await topic.flush();
    expect(await offsets(0)).toEqual(['0000/0', '0000/1', '0001/0']);
    expect((await seals()).map(({ ranges }) => ranges.length)).toEqual([1, 1]);
  });

  it('overwrites the chunk of an archiver that was killed before its seal', async () => {
    await store.put(names.chunk(TOPIC, 0), Buffer.from('half of what it was'));
    const topic = await open();
    topic.begin(0, life(0), 0);
    await topic.take(0, range(0, 0, 2));
    await topic.flush();
    expect(await offsets(0)).toEqual(['0000/0', '0000/1']);
  });

  it('takes nothing for sealed that the store refused, and says so', async () => {
    const refusing = { ...store, put: () => Promise.reject(new WardlineError('STORE_REFUSED', 'no')) };
    const topic: TopicArchive = await open({ on: refusing });
    topic.begin(0, life(0), 0);
    await topic.take(0, range(0, 0, 2));
    await expect(topic.flush()).rejects.toThrow('no');
    expect([topic.sealed(0), topic.bytes > 0, failures.length]).toEqual([0, true, 1]);
  });
});

describe('the end of a chain', () => {
  it('is found from what is remembered, and from nothing', async () => {
    const topic = await open();
    topic.begin(0, life(0), 0);
    for (let times = 0; times < 3; times += 1) {
      await topic.take(0, range(0, times, times + 1));
      await topic.flush();
    }
    const listed = await findChainEnd(store, INSTALL, TOPIC, trusted, undefined);
    expect(listed).toMatchObject({ chain: { sequence: 3 }, isShortened: false });
    const [, second] = await seals();
    const remembered = { sequence: 1, seal: second?.previous ?? '' };
    expect(await findChainEnd(store, INSTALL, TOPIC, trusted, remembered)).toEqual(listed);
  });

  it('says where the store lost chunks that are remembered', async () => {
    const topic = await open();
    topic.begin(0, life(0), 0);
    await topic.take(0, range(0, 0, 1));
    await topic.flush();
    const found = await findChainEnd(store, INSTALL, TOPIC, trusted, { sequence: 4, seal: 'a' });
    expect(found).toMatchObject({ chain: { sequence: 1 }, isShortened: true });
    expect(await findChainEnd(store, INSTALL, 'other', trusted, { sequence: 0, seal: 'a' })).toMatchObject({
      ...{ chain: { sequence: 0, previous: null }, isShortened: true },
    });
  });
});
