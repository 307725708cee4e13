import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client, types } from 'cassandra-driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventDocument } from '../../../audit/event/document.ts';
import { leafHash } from '../../../audit/merkle/hash.ts';
import { rootOf } from '../../../audit/merkle/tree.ts';
import { trustedKeys } from '../../../audit/signature/signing-key.ts';
import { verifyEvent } from '../../../audit/event/verify-event.ts';
import { AUDIT_TOPIC } from '../../../security/principals/names.ts';
import { recordDigest } from '../../../security/sealed-field/record.ts';
import { contractVariant } from '../../support/inputs/contract-variant.ts';
import { codeOf } from '../../support/failure.ts';
import {
  messagesOn,
  offsetsOf,
  outsideCredentials,
  plainCassandra,
  plainKafka,
  type StoredMessage,
} from '../../support/outside.ts';
import { scratch } from '../../support/scratch.ts';
import { csvOf, readings, SMART_HOME_COLUMNS } from '../../support/inputs/smart-home-csv.ts';
import { withStack } from '../../support/stack.ts';
import { wardlineOn } from '../../support/wardline.ts';

const COUNT = 2500;
const DEAD_AT_SOURCE = 2;
const SUBJECT = 'audited-home';

const { home } = withStack();
const files = scratch();
const contract = contractVariant('smart-home', files.folder, 'audit-events');
const keys = trustedKeys(
  readdirSync(home.paths.principals).map((principal) => ({
    principal,
    publicKeyPem: readFileSync(join(home.paths.principals, principal, 'signing.pub'), 'utf8'),
  })),
);

let events: EventDocument[];
let audited: StoredMessage[];
let onTopic: StoredMessage[];
let rows: types.Row[];
let reader: Client;
let summary: Readonly<Record<string, unknown>>;

beforeAll(async () => {
  const [auditor, archiver, readerAccess] = await Promise.all([
    outsideCredentials(home.path, 'auditor'),
    outsideCredentials(home.path, 'archiver'),
    outsideCredentials(home.path, 'reader'),
  ]);
  const kafka = plainKafka(auditor);
  const before = await offsetsOf(kafka, AUDIT_TOPIC);
  const bad = readings(DEAD_AT_SOURCE).map((row) => ({ ...row, 'use [kW]': 'none' }));
  const path = files.file('audited.csv', csvOf([...readings(COUNT, { step: 120 }), ...bad], SMART_HOME_COLUMNS));
  const source = ['--source', 'csv', '--path', path, '--set', `home_id=${SUBJECT}`];
  summary = (await wardlineOn(home.path, ['run', '--contract', contract.path, ...source])).json;
  await wardlineOn(home.path, ['read', SUBJECT, '--contract', contract.path, '--purpose', 'billing', '--limit', '2']);

  const from = new Map([...before].map(([partition, { high }]) => [partition, high]));
  audited = await messagesOn(kafka, AUDIT_TOPIC, 'wardline.auditor.audit-events', from);
  events = audited.map(({ message }) => verifyEvent(message.value ?? Buffer.alloc(0), keys));
  onTopic = await messagesOn(plainKafka(archiver), contract.topic, 'wardline.archiver.audit-events');
  reader = plainCassandra(readerAccess);
  const query = `SELECT * FROM ${contract.table} WHERE home_id = ? ALLOW FILTERING`;
  rows = (await reader.execute(query, [SUBJECT], { prepare: true, fetchSize: 5000 })).rows;
});

afterAll(() => reader.shutdown());

interface Range {
  readonly partition: number;
  readonly from: string;
  readonly to: string;
  readonly incarnation?: string;
}

interface WindowDetails {
  readonly ranges: readonly Range[];
  readonly root: string;
  readonly tree_size: number;
  readonly keys: { readonly count: number; readonly ids: readonly string[] };
}

const eventsOf = (action: string): EventDocument[] => events.filter((event) => event.action === action);
const detailsOf = (event: EventDocument): WindowDetails => event.details as unknown as WindowDetails;
const total = (found: readonly EventDocument[], count: string): number =>
  found.reduce((sum, { counts }) => sum + (counts?.[count] ?? 0), 0);
const offsetsIn = ({ partition, from, to }: Range): string[] =>
  Array.from({ length: Number(BigInt(to) - BigInt(from)) + 1 }, (_, at) => `${partition}/${BigInt(from) + BigInt(at)}`);

/** The RFC 6962 root over what stands on the topic at the stated places. */
function rootAt(ranges: readonly Range[]): { root: string; size: number } {
  const byPlace = new Map(onTopic.map(({ partition, offset, message }) => [`${partition}/${offset}`, message]));
  const leaves = ranges.flatMap(offsetsIn).map((place) => {
    const message = byPlace.get(place);
    if (message === undefined) throw new Error(`an event names ${place}, where no message is`);
    return leafHash(recordDigest(message.key ?? Buffer.alloc(0), message.value ?? Buffer.alloc(0)));
  });
  return { root: Buffer.from(rootOf(leaves)).toString('hex'), size: leaves.length };
}

describe('the audit log of a run', () => {
  it('holds a signed event of every stage, by the principal whose stage it is', () => {
    const actors = new Map<string, string>(events.map((event) => [event.action, event.actor.principal]));
    for (const stage of ['source', 'check', 'seal', 'produce']) expect(actors.get(`stage.${stage}`)).toBe('source');
    for (const stage of ['consume', 'transform', 'store']) expect(actors.get(`stage.${stage}`)).toBe('worker');
    expect(actors.get('stage.dead-letter')).toBe('source');
    expect(actors.get('contract.apply')).toBe('operator');
    expect(actors.get('read.open')).toBe('reader');
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  });

  it('does not verify once a byte of an event is changed', () => {
    const bytes = Buffer.from(audited[0]?.message.value ?? Buffer.alloc(0));
    const middle = Math.floor(bytes.length / 2);
    bytes.writeUInt8(bytes.readUInt8(middle) === 0x41 ? 0x42 : 0x41, middle);
    expect(codeOf(() => verifyEvent(bytes, keys))).toBe('AUDIT_EVENT_UNVERIFIED');
  });

  it('counts what the run counted', () => {
    expect(summary).toMatchObject({ records_stored: COUNT, dead_letters: DEAD_AT_SOURCE });
    expect(total(eventsOf('stage.source'), 'records')).toBe(COUNT + DEAD_AT_SOURCE);
    expect(total(eventsOf('stage.check'), 'rejected')).toBe(DEAD_AT_SOURCE);
    expect(total(eventsOf('stage.seal'), 'fields')).toBe(summary['sealed_fields']);
    expect(total(eventsOf('stage.produce'), 'records')).toBe(COUNT);
    expect(total(eventsOf('stage.consume'), 'verified')).toBe(COUNT);
    expect(total(eventsOf('stage.store'), 'rows')).toBe(COUNT);
    expect(total(eventsOf('stage.dead-letter'), 'dead_letters')).toBe(DEAD_AT_SOURCE);
  });

  it('bears the run’s trace, contract and keys', () => {
    const stages = events.filter(({ action }) => action.startsWith('stage.'));
    for (const event of stages) {
      expect(event.trace_id).toBe(summary['trace_id']);
      expect(event.contract).toMatchObject({ id: contract.id, version: '1.0.0' });
    }
    const kids = new Set(eventsOf('stage.seal').flatMap((event) => detailsOf(event).keys.ids));
    const sealed = JSON.parse(String(onTopic[0]?.message.value)) as Readonly<Record<string, string>>;
    const header = sealed['Home office [kW]']?.split('.')[0] ?? '';
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string };
    expect([...kids]).toEqual([kid]);
  });

  it.each(['produce', 'consume', 'store'])('states of each %s window the root over its messages', (stage) => {
    const windows = eventsOf(`stage.${stage}`);
    expect(windows.length).toBeGreaterThan(0);
    for (const event of windows) {
      const { ranges, root, tree_size: size } = detailsOf(event);
      expect({ root, size }).toEqual(rootAt(ranges));
    }
    const covered = windows.flatMap((event) => detailsOf(event).ranges.flatMap(offsetsIn));
    expect(covered.toSorted()).toEqual(onTopic.map(({ partition, offset }) => `${partition}/${offset}`).toSorted());
  });

  it('has an event of every data key in the tables, which does not name the person', async () => {
    const { items } = await wardlineOn(home.path, ['keys', 'list', '--contract', contract.path]);
    const made = eventsOf('keys.create');
    expect(items.length).toBeGreaterThan(0);
    expect(made.map(({ object }) => object.id).toSorted()).toEqual(items.map(({ kid }) => kid).toSorted());
    expect(made.every(({ actor }) => actor.principal === 'source')).toBe(true);
    expect(JSON.stringify(made)).not.toContain(SUBJECT);
    // Announced first: no window that was sealed with a key stands before it.
    const order = events.map(({ action }) => action);
    expect(order.lastIndexOf('keys.create')).toBeLessThan(order.indexOf('stage.seal'));
  });

  it('says nothing of what a person did', () => {
    const values = readings(1).flatMap((row) => [row['Home office [kW]'], row['Living room [kW]']]);
    for (const value of values) expect(JSON.stringify(events)).not.toContain(value);
  });
});

describe('a row', () => {
  it('names the message that it came from, in the incarnation that the store window states', () => {
    expect(rows).toHaveLength(COUNT);
    const byPlace = new Map(onTopic.map(({ partition, offset, message }) => [`${partition}/${offset}`, message]));
    const incarnations = new Map(
      eventsOf('stage.store').flatMap((event) =>
        detailsOf(event).ranges.map(({ partition, incarnation }) => [partition, incarnation] as const),
      ),
    );
    for (const row of rows) {
      const partition = row['wardline_partition'] as number;
      const message = byPlace.get(`${partition}/${String(row['wardline_offset'])}`);
      const fields = JSON.parse(String(message?.value)) as Readonly<Record<string, unknown>>;
      expect(Number(fields['time']) * 1000).toBe((row['ts'] as Date).getTime());
      expect(fields['Home office [kW]']).toBe(row['home_office_kw']);
      expect(row['wardline_incarnation']).toBe(incarnations.get(partition));
    }
  });
});
