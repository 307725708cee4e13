import type { Client } from 'cassandra-driver';
import type { IHeaders, Message } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessOf } from '../../../security/connect/access.ts';
import { openKeyStore } from '../../../security/keyring/key-store/key-store.ts';
import { createMac, recordDigest } from '../../../security/sealed-field/record.ts';
import { contractVariant } from '../../support/inputs/contract-variant.ts';
import { messagesOn, outsideCredentials, plainCassandra, plainKafka } from '../../support/outside.ts';
import { scratch } from '../../support/scratch.ts';
import { readings, smartHomeCsv } from '../../support/inputs/smart-home-csv.ts';
import { withStack } from '../../support/stack.ts';
import { wardlineOn } from '../../support/wardline.ts';

const SUBJECT = 'bad-message-home';
const BEFORE = 4;
const AFTER = 3;
const AHEAD_MICROSECONDS = 10n * 60n * 1_000_000n;
const CELL = 'Home office [kW]';
const OTHER_CELL = 'Microwave [kW]';

const { home, connection } = withStack();
const files = scratch();
const contract = contractVariant('smart-home', files.folder, 'bad-messages');
const all = readings(BEFORE + AFTER);

interface Sent {
  readonly partition: number;
  readonly key: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly writeTimestamp: bigint;
  readonly headers: IHeaders;
}

let reader: Client;
let good: readonly Sent[];
let authenticated: (sent: Sent, value?: string) => Message;
let letters: readonly Readonly<Record<string, unknown>>[];

async function run(name: string, from: number, to: number): Promise<Readonly<Record<string, unknown>>> {
  const path = files.file(name, smartHomeCsv(all.slice(from, to)));
  const source = ['--source', 'csv', '--path', path, '--set', `home_id=${SUBJECT}`];
  return (await wardlineOn(home.path, ['run', '--contract', contract.path, ...source])).json;
}

/** Each message that the source's own credentials can put on the topic, and what must become of it. */
function badMessages(): readonly (readonly [string, Message])[] {
  const [one, two] = good;
  if (one === undefined || two === undefined) throw new Error('the topic has no messages to start from');
  const changed = (cells: Readonly<Record<string, unknown>>): Sent => ({ ...one, fields: { ...one.fields, ...cells } });
  const valid = authenticated(one);
  const headers = valid.headers ?? {};
  const ahead = BigInt(Date.now()) * 1000n + AHEAD_MICROSECONDS;
  return [
    ['MESSAGE_NOT_JSON', authenticated(one, 'no JSON at all')],
    ['MESSAGE_NOT_JSON', authenticated(one, '[1,2,3]')],
    ['HEADER_MISSING', { partition: one.partition, key: valid.key ?? null, value: valid.value }],
    ['HEADER_MISSING', { ...valid, headers: { ...headers, 'write-timestamp': 'yesterday' } }],
    ['CONTRACT_UNKNOWN', { ...valid, headers: { ...headers, 'contract-id': 'somebody-elses' } }],
    ['CONTRACT_UNKNOWN', { ...valid, headers: { ...headers, 'contract-version': '9.9.9' } }],
    ['MAC_INVALID', { ...valid, headers: { ...headers, mac: Buffer.alloc(32).toString('base64url') } }],
    ['MAC_INVALID', { ...valid, value: JSON.stringify({ ...one.fields, 'use [kW]': 99 }) }],
    ['MAC_INVALID', { ...valid, headers: { ...headers, 'write-timestamp': String(one.writeTimestamp + 1n) } }],
    ['TIMESTAMP_AHEAD', authenticated({ ...one, writeTimestamp: ahead })],
    ['SEALED_FIELD_MALFORMED', authenticated(changed({ [CELL]: 'a.b.c' }))],
    ['SEALED_FIELD_MALFORMED', authenticated(changed({ [CELL]: 0.44 }))],
    ['SEALED_FIELD_MISPLACED', authenticated(changed({ [CELL]: two.fields[CELL] }))],
    ['SEALED_FIELD_MISPLACED', authenticated(changed({ [CELL]: one.fields[OTHER_CELL] }))],
    ['MESSAGE_KEY_MISMATCH', authenticated({ ...one, key: '["somebody-else","2016-01-01"]' })],
    ['VALUE_NOT_OF_TYPE', authenticated(changed({ 'use [kW]': 'much' }))],
  ];
}

beforeAll(async () => {
  const [readerAccess, archiver, source] = await Promise.all([
    outsideCredentials(home.path, 'reader'),
    outsideCredentials(home.path, 'archiver'),
    outsideCredentials(home.path, 'source'),
  ]);
  reader = plainCassandra(readerAccess);
  await run('before.csv', 0, BEFORE);

  const integrityKey = (await openKeyStore(accessOf(connection, 'source'))).integrityKey(contract.id);
  const mac = createMac(integrityKey, contract.id, '1.0.0');
  authenticated = ({ partition, key, fields, writeTimestamp, headers }, value = JSON.stringify(fields)) => {
    const digest = recordDigest(Buffer.from(key), Buffer.from(value));
    const code = mac.mac(digest, writeTimestamp);
    return { partition, key, value, headers: { ...headers, 'write-timestamp': String(writeTimestamp), mac: code } };
  };
  const found = await messagesOn(plainKafka(archiver), contract.topic, 'wardline.archiver.bad-messages');
  good = found.map(({ partition, message }) => ({
    partition,
    key: String(message.key),
    fields: JSON.parse(String(message.value)) as Record<string, unknown>,
    writeTimestamp: BigInt(String(message.headers?.['write-timestamp'])),
    headers: message.headers ?? {},
  }));

  const producer = plainKafka(source).producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const altered = alteredCell(good[1]);
  const messages = [...badMessages().map(([, message]) => message), authenticated(altered)];
  await producer.send({ topic: contract.topic, acks: -1, messages });
  await producer.disconnect();
  await run('after.csv', BEFORE, BEFORE + AFTER);
  const { items } = await wardlineOn(home.path, ['dead-letters', 'list', '--contract', contract.path]);
  letters = items.toSorted((a, b) => offsetOf(a) - offsetOf(b));
});

afterAll(() => reader.shutdown());

/** Where the message of a dead letter stood; all were sent to one partition. */
function offsetOf(letter: Readonly<Record<string, unknown>>): number {
  return Number(String(letter['position']).split('/').at(-1));
}

/** The second message again, newer, with one bit of one ciphertext turned: nobody without the key can see that. */
function alteredCell(sent: Sent | undefined): Sent {
  if (sent === undefined) throw new Error('the topic has no second message');
  const parts = String(sent.fields[CELL]).split('.');
  const ciphertext = Buffer.from(parts[3] ?? '', 'base64url');
  ciphertext.writeUInt8(ciphertext.readUInt8(0) ^ 1, 0);
  parts[3] = ciphertext.toString('base64url');
  return { ...sent, writeTimestamp: sent.writeTimestamp + 1n, fields: { ...sent.fields, [CELL]: parts.join('.') } };
}

describe('messages that did not come of the product’s source', () => {
  it('were made from ones that did', () => {
    expect(good).toHaveLength(BEFORE);
  });

  it('are dead letters, each with its own code, in the order in which they stood', () => {
    expect(letters.map(({ code }) => code)).toEqual(badMessages().map(([code]) => code));
  });

  it('are found at their places on the topic', () => {
    for (const { position } of letters) expect(position).toMatch(new RegExp(`^${contract.topic}/\\d+/\\d+$`));
    expect(new Set(letters.map(({ position }) => position)).size).toBe(letters.length);
  });

  it('open to the message as it stood there', async () => {
    const malformed = letters.find(({ code }) => code === 'SEALED_FIELD_MALFORMED');
    const show = ['dead-letters', 'show', String(malformed?.['id']), '--contract', contract.path];
    const content = (await wardlineOn(home.path, show)).json['content'] as Readonly<Record<string, string>>;
    const value = JSON.parse(Buffer.from(content['value'] ?? '', 'base64').toString()) as Record<string, unknown>;
    expect([content['kind'], value[CELL], value['use [kW]']]).toEqual([
      'message',
      'a.b.c',
      good[0]?.fields['use [kW]'],
    ]);
  });

  it('hold up none before them and none after them', async () => {
    const { rows } = await reader.execute(
      `SELECT ts, use_kw FROM ${contract.table} WHERE home_id = ? ALLOW FILTERING`,
      [SUBJECT],
      { prepare: true },
    );
    const found = new Map(rows.map((row) => [(row['ts'] as Date).getTime() / 1000, row['use_kw'] as number]));
    expect(found).toEqual(new Map(all.map((row) => [Number(row.time), Number(row['use [kW]'])])));
  });

  it('are found at opening where only a key can tell', async () => {
    const read = ['read', SUBJECT, '--contract', contract.path, '--purpose', 'billing'];
    const { items } = await wardlineOn(home.path, read, 4);
    expect(items).toHaveLength(BEFORE + AFTER);
    const faulty = items.filter((item) => 'faults' in item);
    expect(faulty.map((item) => [Date.parse(String(item['ts'])) / 1000, item['faults']])).toEqual([
      [Number(all[1]?.time), { home_office_kw: 'SEALED_FIELD_ALTERED' }],
    ]);
  });
});
