import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'cassandra-driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { listEscrow, type EscrowEntry } from '../../../backup/escrow/listing.ts';
import { restoreKeys } from '../../../backup/escrow/restore-keys.ts';
import { escrowNames } from '../../../backup/naming.ts';
import { folderStore } from '../../../backup/objects/folder-store.ts';
import { describeRecipients, readIdentities, readRecipients } from '../../../backup/recipients/recovery.ts';
import { SENSITIVE_CLASSES, type SensitiveClass } from '../../../core/classification.ts';
import { accessOf } from '../../../security/connect/access.ts';
import { cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import { cassandraDekTable, type DekRow } from '../../../security/keyring/dek-table.ts';
import { dekTableName } from '../../../security/keyring/dek-schema.ts';
import { openKeyStore } from '../../../security/keyring/key-store/key-store.ts';
import { KEYS_KEYSPACE } from '../../../security/principals/names.ts';
import { GO_BUILD_MILLISECONDS, goTool } from '../../support/backup/go-tool.ts';
import { CLINIC_CSV, contractVariant } from '../../support/inputs/contract-variant.ts';
import { scratch } from '../../support/scratch.ts';
import { withStack } from '../../support/stack.ts';
import { wardlineOn } from '../../support/wardline.ts';

const REFUSED = 3;
const VERIFICATION_FAILED = 4;

const { home, connection } = withStack();
const { folder } = scratch();
const clinic = contractVariant('clinic', folder, 'escrow');
const store = folderStore(home.paths.escrowStore);
const runOf = (path: string): readonly string[] => ['run', '--contract', path, '--source', 'csv', '--path', CLINIC_CSV];
const check = (expected?: number) => wardlineOn(home.path, ['keys', 'check', '--contract', clinic.path], expected);
const SOUND = { missing: [], destroyed: [], strays: [], unmarked: [] };

let client: Client;
beforeAll(async () => {
  client = cassandraClient(connection, 'source');
  await wardlineOn(home.path, runOf(clinic.path));
});
afterAll(() => client.shutdown());

const table = (contract: string, classification: SensitiveClass) => cassandraDekTable(client, contract, classification);

async function rows(): Promise<readonly DekRow[]> {
  const all: DekRow[] = [];
  for (const classification of SENSITIVE_CLASSES)
    for await (const row of table(clinic.id, classification).list()) all.push(row);
  return all;
}

async function entries(): Promise<readonly EscrowEntry[]> {
  const all: EscrowEntry[] = [];
  for await (const entry of listEscrow(store, escrowNames(home.install).keys(clinic.id))) all.push(entry);
  return all;
}

const opened = async (): Promise<readonly unknown[]> =>
  (await wardlineOn(home.path, ['read', 'p-0001', '--contract', clinic.path, '--purpose', 'care'])).items;

describe('data keys in escrow', () => {
  it(
    'are there, each as one object that the public age command opens with the recovery identity',
    async () => {
      const age = await goTool('age');
      const { identityFile = '' } = describeRecipients(home);
      const kept = await entries();
      const made = await rows();
      expect(kept).toHaveLength(made.length);
      expect(made.length).toBeGreaterThan(0);
      for (const { name } of kept) {
        const file = join(home.paths.escrowStore, name);
        const document = JSON.parse(
          execFileSync(age, ['-d', '-i', identityFile, file], { encoding: 'utf8' }),
        ) as DekRow;
        const row = made.find(({ kid }) => kid === document.kid);
        const { subject, generation, wrapped, createdAt } = document;
        expect(row).toMatchObject({ subject, generation, wrapped, createdAt });
      }
      expect((await check()).json['escrow']).toEqual(SOUND);
    },
    GO_BUILD_MILLISECONDS,
  );

  it('bring back a table that was lost: what was sealed opens as before', async () => {
    const [before, made] = [await opened(), await rows()];
    // Row by row: a guardrail keeps everybody but break-glass from emptying a table.
    for (const classification of SENSITIVE_CLASSES)
      for await (const { subject, generation } of table(clinic.id, classification).list())
        await client.execute(
          `DELETE FROM ${KEYS_KEYSPACE}.${dekTableName(clinic.id, classification)}
           WHERE subject = ? AND generation = ? IF EXISTS`,
          [subject, generation],
          { prepare: true },
        );
    expect(await rows()).toEqual([]);
    const restored = await restoreKeys({
      ...{ store, install: home.install, table, contract: clinic.id },
      identities: readIdentities(home),
      recipients: () => readRecipients(home),
      keyStore: await openKeyStore(accessOf(connection, 'source')),
    });
    expect(restored).toEqual({ restored: made.length, present: 0, erased: 0, failed: [] });
    expect(await rows()).toEqual(made);
    expect(await opened()).toEqual(before);
  });

  it('that are not made before their copy is: where the escrow refuses, nothing is sealed', async () => {
    const other = contractVariant('clinic', folder, 'escrow-refused');
    const [file, settings] = [join(folder, 'file'), join(folder, 'refused.yaml')];
    writeFileSync(file, '');
    writeFileSync(settings, stringify({ backup: { escrow: join(file, 'below'), patienceSeconds: 1 } }));
    const { error } = await wardlineOn(home.path, [...runOf(other.path), '--config', settings], REFUSED);
    expect(error).toMatchObject({ code: 'STORE_REFUSED' });
    for (const classification of SENSITIVE_CLASSES)
      for await (const row of table(other.id, classification).list()) expect(row).toBeUndefined();
  });

  it('are gone from there once destroyed, and stay so, also where the escrow was out of reach', async () => {
    const settings = join(folder, 'elsewhere.yaml');
    writeFileSync(settings, stringify({ backup: { escrow: join(folder, 'file', 'below'), patienceSeconds: 1 } }));
    const destroy = ['keys', 'destroy', 'p-0002', '--contract', clinic.path, '--yes'];
    const { error } = await wardlineOn(home.path, [...destroy, '--config', settings], REFUSED);
    expect(error?.message).toContain('their escrowed copies still stand');
    const { destroyed } = (await check(VERIFICATION_FAILED)).json['escrow'] as { destroyed: readonly string[] };
    expect(destroyed.length).toBeGreaterThan(0);
    const { json } = await wardlineOn(home.path, destroy);
    expect(json).toMatchObject({ destroyed: [], copies: destroyed.length });
    const left = await entries();
    expect(left.filter(({ name }) => destroyed.includes(name))).toEqual([]);
    expect(left.filter(({ kind }) => kind === 'erased').map(({ classification }) => classification)).toEqual([
      ...SENSITIVE_CLASSES,
    ]);
    expect((await check()).json['escrow']).toEqual(SOUND);
  });
});
