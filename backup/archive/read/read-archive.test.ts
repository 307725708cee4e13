import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity } from 'age-encryption';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  archiveWriter,
  INSTALL,
  life,
  message,
  testSigner,
  TOPIC,
  type ArchiveWriter,
} from '../../../test/support/backup/archive-writer.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { WardlineError } from '../../../core/errors/errors.ts';
import { storeNames } from '../../naming.ts';
import { folderStore } from '../../objects/folder-store.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import { openSeal, signSeal } from '../chunk/seal.ts';
import { readSeals } from './chain.ts';
import { readArchive, type ArchivedMessage, type ArchiveGap, type ReadArchiveOptions } from './read-archive.ts';

const files = scratch();
const names = storeNames(INSTALL);

/** Five chunks: partition 0 in two lives, partition 1 from the second chunk on. */
const CHUNKS: readonly (readonly ArchivedMessage[])[] = [
  [message(0, 0), message(0, 1)],
  [message(0, 2), message(1, 0), message(1, 1), message(0, 3)],
  [message(1, 2)],
  [message(0, 0, life(1)), message(1, 3)],
  [message(0, 1, life(1))],
];
const ALL = CHUNKS.flat();

let made = 0;
let folder: string;
let store: ObjectStore;
let writer: ArchiveWriter;

beforeEach(async () => {
  folder = join(files.folder, String((made += 1)));
  store = folderStore(folder);
  writer = await archiveWriter(store);
  for (const chunk of CHUNKS) await writer.write(chunk);
});

const path = (name: string): string => join(folder, name);
const seal = (sequence: number): string => path(names.chunkSeal(TOPIC, sequence));
const chunk = (sequence: number): string => path(names.chunk(TOPIC, sequence));

async function read(options: Partial<ReadArchiveOptions> = {}): Promise<ArchivedMessage[]> {
  const found: ArchivedMessage[] = [];
  const defaults = { store, install: INSTALL, topic: TOPIC, identities: [writer.identity], verify: writer.trusted };
  for await (const messages of readArchive({ ...defaults, ...options })) found.push(...messages);
  return found;
}

/** The code and the message with which reading ends. */
async function refusal(options: Partial<ReadArchiveOptions> = {}): Promise<string> {
  const error: unknown = await read(options).catch((thrown: unknown) => thrown);
  return error instanceof WardlineError ? `${error.code}: ${error.message}` : 'no error';
}

async function sequences(): Promise<number[]> {
  const found: number[] = [];
  for await (const { sequence } of readSeals(store, INSTALL, TOPIC, writer.trusted)) found.push(sequence);
  return found;
}

describe('the archive of a topic', () => {
  it('gives all messages as they were, in order', async () => {
    expect(await read()).toEqual(ALL);
    expect(await sequences()).toEqual([0, 1, 2, 3, 4]);
  });

  it('of a topic that was never archived is empty', async () => {
    expect(await read({ topic: 'another' })).toEqual([]);
  });

  it.each([
    { point: { life: life(0), offset: 2 }, first: 2 },
    { point: { life: life(0), offset: 4 }, first: 4 },
    { point: { life: life(1), offset: 1 }, first: 5 },
    { point: { offset: 3 }, first: 3 },
    { point: { offset: 1 }, first: 1 },
  ])('begins at $point.life/$point.offset of a partition, and goes on into later lives', async ({ point, first }) => {
    const expected = ALL.filter(({ partition }) => partition === 0);
    const from = new Map([
      [0, point],
      [1, { offset: 0 }],
    ]);
    const found = (await read({ from })).filter(({ partition }) => partition === 0);
    expect(found).toEqual(expected.slice(first));
  });

  it('ends with the last message that the broker had appended at a time', async () => {
    const time = message(0, 1).timestamp;
    expect(await read({ to: { time } })).toEqual(ALL.filter(({ timestamp }) => timestamp <= time));
  });

  it('says which offsets it lacks', async () => {
    await writer.write([message(1, 7), message(0, 2, life(1))]);
    await writer.write([message(0, 5, life(2))]);
    const gaps: ArchiveGap[] = [];
    await read({ onGap: (gap) => gaps.push(gap) });
    expect(gaps).toEqual([
      { topic: TOPIC, partition: 1, life: life(0), from: 4, to: 7 },
      { topic: TOPIC, partition: 0, life: life(2), from: 0, to: 5 },
    ]);
  });

  it('can be read from where old chunks were removed, and says what is gone', async () => {
    for (const sequence of [0, 1]) for (const file of [seal(sequence), chunk(sequence)]) rmSync(file);
    const gaps: ArchiveGap[] = [];
    const from = new Map([[1, { life: life(0), offset: 1 }]]);
    expect(await read({ from, onGap: (gap) => gaps.push(gap) })).toEqual(CHUNKS.slice(2).flat());
    expect(gaps).toEqual([{ topic: TOPIC, partition: 1, life: life(0), from: 1, to: 2 }]);
  });

  it('passes over a chunk that was being written when the archiver was killed', async () => {
    cpSync(chunk(2), chunk(5));
    expect(await read()).toEqual(ALL);
  });

  it('opens with the recovery identity only', async () => {
    const identities = [await generateX25519Identity()];
    expect(await refusal({ identities })).toMatch(/^IDENTITY_WRONG/);
  });
});

describe('an archive is refused, and the object named, where', () => {
  it.each([
    { what: 'a chunk is missing', damage: () => rmSync(chunk(1)), name: names.chunk(TOPIC, 1) },
    { what: 'a seal is missing', damage: () => rmSync(seal(2)), name: names.chunkSeal(TOPIC, 2) },
    { what: 'a chunk is cut off', damage: () => cut(chunk(1)), name: names.chunk(TOPIC, 1) },
    { what: 'a chunk has another bit', damage: () => flip(chunk(1)), name: names.chunk(TOPIC, 1) },
    { what: 'a seal has another bit', damage: () => flip(seal(1)), name: names.chunkSeal(TOPIC, 1) },
    { what: 'two chunks are exchanged', damage: () => swap(chunk(1), chunk(2)), name: names.chunk(TOPIC, 1) },
    { what: 'two seals are exchanged', damage: () => swap(seal(1), seal(2)), name: names.chunkSeal(TOPIC, 1) },
    {
      what: 'chunks are removed and those after them renamed',
      damage: () => {
        for (const at of [seal, chunk]) renameSync(at(2), at(1));
      },
      name: names.chunkSeal(TOPIC, 2),
    },
  ])('$what', async ({ damage, name }) => {
    damage();
    const said = await refusal();
    expect(said).toMatch(/^BACKUP_DAMAGED/);
    expect(said).toContain(name);
  });

  it('and what comes before is given all the same', async () => {
    flip(seal(3));
    const found: ArchivedMessage[] = [];
    const options = { store, install: INSTALL, topic: TOPIC, identities: [writer.identity], verify: writer.trusted };
    const reading = async (): Promise<void> => {
      for await (const messages of readArchive(options)) found.push(...messages);
    };
    await expect(reading()).rejects.toThrow(names.chunkSeal(TOPIC, 3));
    expect(found).toEqual(CHUNKS.slice(0, 3).flat());
  });

  it('a seal is signed by a key that is not the archiver’s', async () => {
    const { key } = testSigner();
    writeFileSync(seal(1), signSeal(openSeal(readFileSync(seal(1)), 'seal', writer.trusted), key));
    expect(await refusal()).toContain(`${names.chunkSeal(TOPIC, 1)} is not signed by the archiver`);
  });

  it('a seal is signed by another principal', async () => {
    const { key, trusted } = testSigner('operator');
    writeFileSync(seal(1), signSeal(openSeal(readFileSync(seal(1)), 'seal', writer.trusted), key));
    const verify = new Map([...writer.trusted, ...trusted]);
    expect(await refusal({ verify })).toContain(`${names.chunkSeal(TOPIC, 1)} is not signed by the archiver`);
  });

  it('a chunk and its seal come from another chain', async () => {
    const other = folderStore(join(files.folder, `${made}-other`));
    const fork = await archiveWriter(other, writer);
    for (const messages of CHUNKS) await fork.write(messages);
    const from = join(files.folder, `${made}-other`);
    for (const name of [names.chunkSeal(TOPIC, 1), names.chunk(TOPIC, 1)]) cpSync(join(from, name), path(name));
    expect(await refusal()).toContain(`${names.chunkSeal(TOPIC, 1)} does not follow the one before it`);
  });
});

function cut(file: string): void {
  writeFileSync(file, readFileSync(file).subarray(0, -1));
}

function flip(file: string): void {
  const bytes = readFileSync(file);
  const middle = Math.floor(bytes.length / 2);
  bytes.writeUInt8((bytes[middle] ?? 0) ^ 1, middle);
  writeFileSync(file, bytes);
}

function swap(one: string, other: string): void {
  renameSync(one, `${one}.aside`);
  renameSync(other, one);
  renameSync(`${one}.aside`, other);
}
