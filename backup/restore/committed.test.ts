import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createEventSigner } from '../../audit/event/sign-event.ts';
import { trustedKeys } from '../../audit/signature/signing-key.ts';
import { AUDIT_TOPIC, workerGroup } from '../../security/principals/names.ts';
import { archiveWriter, INSTALL, life, message, testSigner, TOPIC } from '../../test/support/backup/archive-writer.ts';
import { scratch } from '../../test/support/scratch.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { folderStore } from '../objects/folder-store.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { committedWhenBackedUp } from './committed.ts';

const { folder } = scratch();
const contract = { id: 'meters', topic: { name: TOPIC, deadLetterName: 'dead', retentionMilliseconds: undefined } };
let stores = 0;

/** A worker of a test, with what its events are signed with. */
function worker(principal = 'worker') {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const pem = (key: typeof privateKey, type: 'pkcs8' | 'spki') => key.export({ type, format: 'pem' }).toString();
  const sign = createEventSigner({
    ...{ principal, host: 'host', install: INSTALL, clock: { now: () => 0 } },
    signingKeyPem: pem(privateKey, 'pkcs8'),
  });
  const stored = (partition: number, incarnation: string, topic = TOPIC) =>
    sign({
      action: 'stage.store',
      object: { type: 'topic', id: topic },
      outcome: 'success',
      details: { ranges: [{ partition, from: '0', to: '9', incarnation }] },
    });
  return { stored, keys: trustedKeys([{ principal, publicKeyPem: pem(publicKey, 'spki') }]) };
}

function manifestOf(offsets: readonly { partition: number; offset: number; metadata: string | null }[]) {
  const group = { id: workerGroup(contract.id), offsets: offsets.map((each) => ({ topic: TOPIC, ...each })) };
  const kafka: Manifest['kafka'] = { topics: [], groups: [group], acls: [] };
  return { kafka, startedAt: new Date(1000).toISOString() };
}

describe('how far workers had come', () => {
  let store: ObjectStore;
  let events: Buffer[];
  const { stored, keys } = worker();
  const signer = testSigner();
  const trusted = new Map([...signer.trusted, ...keys]);

  beforeEach(() => {
    store = folderStore(join(folder, String((stores += 1))));
    events = [];
  });

  /** The topic with these lives on partition 0, and the audit log with the events. */
  async function committed(offsets: Parameters<typeof manifestOf>[0], lives = 1) {
    const topic = await archiveWriter(store, signer);
    for (let number = 0; number < lives; number += 1)
      await topic.write([message(0, 0, life(number)), message(0, 1, life(number))]);
    const audit = await archiveWriter(store, signer, AUDIT_TOPIC);
    const messages = events.map((value, offset) => ({ ...message(0, offset), value }));
    if (messages.length > 0) await audit.write(messages);
    const identities = [topic.identity, audit.identity];
    return committedWhenBackedUp({ store, install: INSTALL, trusted, identities }, manifestOf(offsets), contract);
  }

  it('is what their group had committed, in the life that the archive knew then', async () => {
    const { from, incarnationOf } = await committed([{ partition: 0, offset: 1, metadata: 'first' }]);
    expect(from).toEqual(new Map([[0, { life: life(0), offset: 1 }]]));
    expect(incarnationOf(0, life(0))).toBe('first');
  });

  it('is told by their events where nothing was committed when the backup began', async () => {
    events = [stored(0, 'from an event'), stored(0, 'from an event'), stored(0, 'elsewhere', 'another')];
    const { from, incarnationOf } = await committed([]);
    expect(from.size).toBe(0);
    expect(incarnationOf(0, life(0))).toBe('from an event');
  });

  it('takes later incarnations for those of later lives, in their order', async () => {
    events = [stored(0, 'first'), stored(0, 'second'), stored(0, 'third')];
    const { incarnationOf } = await committed([{ partition: 0, offset: 1, metadata: 'first' }]);
    expect([0, 1, 2, 1, 0].map((number) => incarnationOf(0, life(number)))).toEqual([
      ...['first', 'second', 'third', 'second', 'first'],
    ]);
    expect(incarnationOf(0, life(3))).toBe(life(3));
    expect(incarnationOf(5, life(0))).toBe(life(0));
  });

  it('believes only what a worker signed', async () => {
    const [source, stranger] = [worker('source'), worker()];
    events = [source.stored(0, 'of a source'), stranger.stored(0, 'of a stranger'), Buffer.from('no event')];
    for (const [kid, key] of source.keys) trusted.set(kid, key);
    const { incarnationOf } = await committed([]);
    expect(incarnationOf(0, life(0))).toBe(life(0));
  });
});
