import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import type { Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { findChainEnd } from '../../../backup/archive/chain-end.ts';
import { archivedTopics, readArchive, type ArchivedMessage } from '../../../backup/archive/read/read-archive.ts';
import { archivable } from '../../../backup/archive/kafka-view.ts';
import { openBackupStore } from '../../../backup/objects/open-store.ts';
import type { ObjectStore } from '../../../backup/objects/object-store.ts';
import { ensureRecovery, readIdentities } from '../../../backup/recipients/recovery.ts';
import { verifyEvent } from '../../../audit/event/verify-event.ts';
import { trustedKeys } from '../../../audit/signature/signing-key.ts';
import { sleep, systemClock } from '../../../core/clock.ts';
import { loadSettings } from '../../../core/configuration.ts';
import { kafkaClient } from '../../../security/connect/kafka/kafka.ts';
import { AUDIT_TOPIC, CHECKPOINTS_TOPIC } from '../../../security/principals/names.ts';
import { HAS_GO_TOOLS } from '../../support/backup/go-tool.ts';
import { startS3Server, type S3Server } from '../../support/backup/s3-server.ts';
import { startWardline, type RunningWardline } from '../../support/faults/process.ts';
import { contractVariant } from '../../support/inputs/contract-variant.ts';
import { readings, smartHomeCsv } from '../../support/inputs/smart-home-csv.ts';
import { messagesOn } from '../../support/outside.ts';
import { scratch } from '../../support/scratch.ts';
import { withStack } from '../../support/stack.ts';
import { wardlineOn } from '../../support/wardline.ts';

/** Within this, in milliseconds, everything must be archived: a chunk is written after 1 s. */
const PATIENCE = 30_000;
const BUCKET = 'archive';

const { home, connection } = withStack();
const files = scratch();
const contract = contractVariant('smart-home', files.folder, 'archived');
const DEAD_LETTERS = `${contract.topic}.dead-letters`;
/** May read and write every topic. */
const kafka = kafkaClient(connection, 'break-glass');
const keys = trustedKeys(
  readdirSync(home.paths.principals).map((principal) => ({
    principal,
    publicKeyPem: readFileSync(join(home.paths.principals, principal, 'signing.pub'), 'utf8'),
  })),
);

let server: S3Server;
let config: string;
let store: ObjectStore;
let producer: Producer;
let archiver: RunningWardline;

const start = (): RunningWardline => startWardline(home.path, ['archiver', '--config', config]);

beforeAll(async () => {
  await ensureRecovery(home, systemClock);
  server = await startS3Server();
  Object.assign(process.env, server.credentials);
  await server.client().send(new CreateBucketCommand({ Bucket: BUCKET }));
  const s3 = { endpoint: server.endpoint, region: server.region, pathStyle: true };
  const backup = { store: `s3://${BUCKET}/here`, s3, archive: { chunkSeconds: 1, chunkMegabytes: 1 } };
  config = files.file('archiver.yaml', stringify({ backup }));
  store = openBackupStore(home, loadSettings(home, config));
  archiver = start();
  await archiver.says(/copying into/);
  // A topic that is made while the archiver works, with dead letters on it.
  const rows = readings(200, { change: (index) => (index % 50 === 7 ? { 'use [kW]': '-1' } : {}) });
  const path = files.file('archived.csv', smartHomeCsv(rows));
  await wardlineOn(home.path, ['contract', 'apply', contract.path]);
  const source = ['--source', 'csv', '--path', path, '--set', 'home_id=archived'];
  await wardlineOn(home.path, ['run', '--contract', contract.path, ...source]);
  producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
});

afterAll(async () => {
  await archiver.stop();
  await producer.disconnect();
  await store.close();
  await server.remove();
  for (const name of Object.keys(server.credentials)) Reflect.deleteProperty(process.env, name);
});

type Placed = Omit<ArchivedMessage, 'life'>;

const byPlace = (a: Placed, b: Placed): number => a.partition - b.partition || a.offset - b.offset;

/** Everything that the archive has of a topic, or of one life of it; each message as often as it is in there. */
async function archived(topic: string, lifeNumber = ''): Promise<readonly Placed[]> {
  const found: Placed[] = [];
  const options = { store, install: home.install, topic, verify: keys, identities: readIdentities(home) };
  for await (const messages of readArchive(options))
    for (const { life, ...message } of messages) if (life.startsWith(lifeNumber)) found.push(message);
  return found.sort(byPlace);
}

/** The codes of the gaps of this file's topic that are on the record. */
async function breaks(): Promise<ReadonlySet<string | undefined>> {
  const events = await messagesOn(kafka, AUDIT_TOPIC, 'events-of-a-test');
  const told = events.map(({ message }) => verifyEvent(message.value ?? Buffer.alloc(0), keys));
  return new Set(
    told
      .filter(({ action, object }) => action === 'archive.gap' && object.id === contract.topic)
      .map(({ code }) => code),
  );
}

async function onKafka(topic: string): Promise<readonly Placed[]> {
  const found = await messagesOn(kafka, topic, 'archive-of-a-test');
  return found.map(({ partition, message }) => archivable(partition, message)).sort(byPlace);
}

/** What topic and archive hold as soon as the archive reaches what the topic holds now. */
async function whenArchived(topic: string): Promise<{ topic: readonly Placed[]; archive: readonly Placed[] }> {
  const expected = await onKafka(topic);
  const ends = new Map(expected.map(({ partition, offset }) => [partition, offset + 1]));
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const found = await findChainEnd(store, home.install, topic, keys, undefined);
    const reached = new Map(found.ends.map(({ partition, next }) => [partition, next]));
    if ([...ends].every(([partition, end]) => (reached.get(partition) ?? 0) >= end) || Date.now() > deadline)
      return { topic: expected, archive: await archived(topic) };
    await sleep(200);
  }
}

/** Messages of every form that Kafka knows; the last header's name occurs twice. */
async function produce(count: number): Promise<void> {
  const forms = [null, Buffer.alloc(0), randomBytes(700)];
  const messages = Array.from({ length: count }, (_, index) => ({
    key: forms[index % 3] ?? null,
    value: forms[(index + 1) % 3] ?? null,
    headers: { none: Buffer.alloc(0), twice: [Buffer.from('a'), randomBytes(3)] },
  }));
  await producer.send({ topic: contract.topic, acks: -1, messages });
}

describe.skipIf(!HAS_GO_TOOLS)('the log archive', () => {
  it('holds exactly what the topics hold, of those too that were made meanwhile', async () => {
    await produce(10);
    for (const name of [contract.topic, DEAD_LETTERS]) {
      const { topic, archive } = await whenArchived(name);
      expect(topic.length).toBeGreaterThan(3);
      expect(archive).toEqual(topic);
    }
    for (const name of [AUDIT_TOPIC, CHECKPOINTS_TOPIC]) {
      const { topic, archive } = await whenArchived(name);
      // The archive may know later ones by now, since both topics go on growing.
      expect(archive.slice(0, topic.length)).toEqual(topic);
    }
    expect(await archivedTopics(store, home.install)).toEqual(
      expect.arrayContaining([contract.topic, DEAD_LETTERS, AUDIT_TOPIC, CHECKPOINTS_TOPIC]),
    );
  });

  it('has no place for another archiver of the same home', async () => {
    const { error } = await wardlineOn(home.path, ['archiver', '--config', config], 1);
    expect(error?.code).toBe('ALREADY_RUNNING');
  });

  it('lacks nothing and holds nothing twice after its archiver was killed again and again', async () => {
    for (const milliseconds of [100, 700, 1300]) {
      const producing = (async () => {
        for (let times = 0; times < 8; times += 1) {
          await produce(50);
          await sleep(100);
        }
      })();
      await sleep(milliseconds);
      await archiver.kill();
      archiver = start();
      await archiver.says(/copying into/);
      await producing;
    }
    const { topic, archive } = await whenArchived(contract.topic);
    expect(topic.length).toBeGreaterThan(1000);
    expect(archive).toEqual(topic);
  });

  it('goes on where the store was away', async () => {
    await server.kill();
    await produce(100);
    await archiver.says(/alarm: nothing is archived/);
    await produce(100);
    await server.start();
    const { topic, archive } = await whenArchived(contract.topic);
    expect(archive).toEqual(topic);
  });

  it('begins another life where a topic was made again, and puts on the record that it was', async () => {
    const before = await archived(contract.topic);
    const admin = kafka.admin();
    await admin.connect();
    await admin.deleteTopics({ topics: [contract.topic] });
    await sleep(1000);
    await admin.disconnect();
    await wardlineOn(home.path, ['contract', 'apply', contract.path]);
    // Its offsets reach over where the archive of the former one ends.
    await produce(before.length + 600);
    await archiver.says(/was made again/);
    await produce(1);
    const { topic } = await whenArchived(contract.topic);
    const deadline = Date.now() + PATIENCE;
    let archive = await archived(contract.topic, '0001');
    for (; archive.length < topic.length && Date.now() < deadline; archive = await archived(contract.topic, '0001'))
      await sleep(500);
    expect(archive).toEqual(topic);
    expect(await archived(contract.topic, '0000')).toEqual(before);
    expect(await breaks()).toEqual(new Set(['TOPIC_REMADE']));
  });

  it('is written to the end when its archiver is asked to stop', async () => {
    await produce(100);
    const { code } = await archiver.stop();
    expect(code).toBe(0);
    expect(await archived(contract.topic, '0001')).toEqual(await onKafka(contract.topic));
    archiver = start();
  });
});
