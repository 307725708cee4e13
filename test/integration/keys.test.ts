import { randomUUID } from 'node:crypto';
import type { Client } from 'cassandra-driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SENSITIVE_CLASSES } from '../../core/classification.ts';
import { systemClock } from '../../core/clock.ts';
import { accessOf } from '../../security/connect/access.ts';
import { cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { isWiped } from '../../security/keyring/data-key.ts';
import {
  cassandraDekTable,
  dekTableName,
  dekTableStatement,
  keysKeyspaceStatement,
} from '../../security/keyring/dek-table.ts';
import { openKeyStore } from '../../security/keyring/key-store/key-store.ts';
import { openKeyring, type AnnounceKey, type Keyring } from '../../security/keyring/keyring.ts';
import { cassandraGrants, grantStatement } from '../../security/principals/cassandra-grants.ts';
import { KEYS_KEYSPACE, type PrincipalName } from '../../security/principals/names.ts';
import { memoryEscrow } from '../support/backup/memory-escrow.ts';
import { behavesAsDekTable } from '../support/dek-table-behaviour.ts';
import { codeOfAsync } from '../support/failure.ts';
import { withStack } from '../support/stack.ts';

const { connection } = withStack();
const contract = `keys-${randomUUID().slice(0, 8)}`;
const clients = new Map<PrincipalName, Client>();
const keyrings: Keyring[] = [];

function client(name: PrincipalName): Client {
  const known = clients.get(name) ?? cassandraClient(connection, name);
  clients.set(name, known);
  return known;
}

/** Kids in the order of their announcement. */
const announced: string[] = [];
const announce: AnnounceKey = ({ kid }) => {
  announced.push(kid);
  return Promise.resolve();
};

async function keyringOf(name: PrincipalName): Promise<Keyring> {
  const keyStore = await openKeyStore(accessOf(connection, name));
  const keyring = openKeyring({ client: client(name), keyStore, clock: systemClock, announce, escrow: memoryEscrow() });
  keyrings.push(keyring);
  return keyring;
}

beforeAll(async () => {
  const operator = client('operator');
  await operator.execute(
    keysKeyspaceStatement({ class: 'NetworkTopologyStrategy', [connection.cassandra.localDataCenter]: 1 }),
  );
  for (const classification of SENSITIVE_CLASSES) await operator.execute(dekTableStatement(contract, classification));
  const grants = cassandraGrants({
    kind: 'contract',
    keyspace: 'none',
    table: 'none',
    keysTables: SENSITIVE_CLASSES.map((classification) => ({
      classification,
      keyspace: KEYS_KEYSPACE,
      table: dekTableName(contract, classification),
    })),
    roles: [{ role: 'reader', access: 'read', opens: ['personal'] }],
  });
  for (const grant of grants) {
    if (grant.resource.type === 'table' && grant.resource.keyspace === KEYS_KEYSPACE) {
      await operator.execute(grantStatement(grant));
    }
  }
});

afterAll(async () => {
  for (const keyring of keyrings) keyring.close();
  await Promise.all([...clients.values()].map((one) => one.shutdown()));
});

describe('the keys table in Cassandra', () => {
  behavesAsDekTable(() => cassandraDekTable(client('source'), contract, 'personal'));

  it('lists more than a page', async () => {
    const table = cassandraDekTable(client('source'), contract, 'restricted');
    const subjects = Array.from({ length: 1100 }, () => randomUUID());
    const parts = [subjects.slice(0, 550), subjects.slice(550)];
    await Promise.all(
      parts.map(async (part) => {
        for (const subject of part) {
          await table.insertIfAbsent({ subject, generation: 1, kid: 'k', wrapped: 'w', createdAt: 0 });
        }
      }),
    );
    const listed = new Set<string>();
    for await (const row of table.list()) listed.add(row.subject);
    expect(subjects.filter((subject) => !listed.has(subject))).toEqual([]);
  });

  it('is read by a reader up to the classes that its contract opens, and written by none', async () => {
    const reader = (classification: 'personal' | 'restricted') =>
      cassandraDekTable(client('reader'), contract, classification);
    expect(await codeOfAsync(() => reader('personal').readAll('s'))).toBe('no error');
    expect(await codeOfAsync(() => reader('restricted').readAll('s'))).toBe('CASSANDRA_REFUSED');
    expect(await codeOfAsync(() => reader('personal').destroy('s', 0))).toBe('CASSANDRA_REFUSED');
    const worker = cassandraDekTable(client('worker'), contract, 'personal');
    expect(await codeOfAsync(() => worker.readAll('s'))).toBe('CASSANDRA_REFUSED');
  });
});

describe('keyrings of several processes', () => {
  it('agree on one key where they race, and the reader finds it', async () => {
    const place = { contract, subject: randomUUID(), classification: 'personal' } as const;
    const sources = await Promise.all([keyringOf('source'), keyringOf('source'), keyringOf('source')]);
    const keys = await Promise.all(sources.map((keyring) => keyring.current(place)));
    expect(new Set(keys.map((key) => key.key.toString('hex'))).size).toBe(1);
    const kid = keys[0]?.kid ?? '';
    const reader = await keyringOf('reader');
    expect((await reader.byKid(place, kid)).key.equals(keys[0]?.key ?? Buffer.alloc(0))).toBe(true);
  });

  it('are without a destroyed key within ten seconds, and keep the others', async () => {
    const gone = { contract, subject: randomUUID(), classification: 'personal' } as const;
    const kept = { ...gone, subject: randomUUID() };
    const [source, reader] = await Promise.all([keyringOf('source'), keyringOf('reader')]);
    const sealing = await source.current(gone);
    const opening = await reader.byKid(gone, sealing.kid);
    const other = await source.current(kept);
    await cassandraDekTable(client('source'), contract, 'personal').destroy(gone.subject, Date.now());
    const deadline = Date.now() + 10_000;
    while (Date.now() < deadline && !(isWiped(sealing) && isWiped(opening))) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect([isWiped(sealing), isWiped(opening)]).toEqual([true, true]);
    expect(await codeOfAsync(() => source.current(gone))).toBe('KEY_DESTROYED');
    expect(await codeOfAsync(() => reader.byKid(gone, sealing.kid))).toBe('KEY_DESTROYED');
    expect((await source.current(kept)).kid).toBe(other.kid);
  });
});
