import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import {
  loadContract,
  parseContract,
  SHIPPED_CONTRACTS,
  type CompiledContract,
} from '../../governance/contract/index.ts';
import { applyProvision, planProvision } from '../../governance/provision/index.ts';
import { cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { withStack } from '../support/stack.ts';

const { connection, settings } = withStack();

/** The clinic's contract with a table, topic and keyspace of this test's own. */
function clinic(
  change: (properties: Record<string, unknown>[], table: Record<string, unknown>) => void = () => undefined,
) {
  const text = readFileSync(join(import.meta.dirname, '../support/contracts/clinic.odcs.yaml'), 'utf8');
  const document = parse(text) as { id: string; servers: { schema?: string }[]; schema: [Record<string, unknown>] };
  document.id = 'provision-test';
  document.servers = document.servers.map((server) =>
    server.schema === undefined ? server : { ...server, schema: 'provision_test' },
  );
  document.schema[0]['physicalName'] = 'provision_test';
  change(document.schema[0]['properties'] as Record<string, unknown>[], document);
  return parseContract(stringify(document), 'provision-test.yaml');
}

const operator = cassandraClient(connection, 'operator');
afterAll(() => operator.shutdown());

const kinds = (changes: readonly { readonly kind: string }[]): string[] => [
  ...new Set(changes.map(({ kind }) => kind)),
];

describe('a contract on servers that do not know it', () => {
  it('is shown, then applied, then there is nothing left to do', async () => {
    const contract = clinic();
    const planned = await planProvision(connection, contract, settings);
    expect(kinds(planned)).toEqual(expect.arrayContaining(['topic', 'acl', 'keyspace', 'table', 'grant']));
    const reported: string[] = [];
    const applied = await applyProvision(connection, contract, settings, ({ detail }) => reported.push(detail));
    expect(applied).toEqual(planned);
    expect(reported).toEqual(planned.map(({ detail }) => detail));
    expect(await planProvision(connection, contract, settings)).toEqual([]);
    expect(await applyProvision(connection, contract, settings)).toEqual([]);
  });

  it('holds the smart home too, whose table has a long name', async () => {
    const contract = loadContract(join(SHIPPED_CONTRACTS, 'smart-home.odcs.yaml'));
    await applyProvision(connection, contract, settings);
    expect(await planProvision(connection, contract, settings)).toEqual([]);
  });

  it('lets the worker store what it encodes, and read back the same', async () => {
    const contract: CompiledContract = clinic();
    const message = {
      ...{ Patient: 'p-0001', 'Taken At': '2024-03-01T08:00:00.000Z', Device: '9007199254740993', generation: 1960 },
      ...{ Born: 'sealed', Diagnosis: 'sealed', Consent: 'sealed', Ward: 'north', Room: '101' },
    };
    const row = contract.toRow(message);
    if (!row.ok) throw new Error(row.rejection.detail);
    const worker = cassandraClient(connection, 'worker');
    const names = contract.table.columns.map(({ name }) => name);
    const insert = `INSERT INTO provision_test.provision_test (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
    try {
      await expect
        .poll(() => worker.execute(insert, [...row.values], { prepare: true }).then(() => 'stored', String), {
          timeout: 10_000,
        })
        .toBe('stored');
      const { rows } = await worker.execute('SELECT * FROM provision_test.provision_test');
      const [stored] = rows;
      expect(String(stored?.['device'])).toBe('9007199254740993');
      expect(String(stored?.['day'])).toBe('2024-03-01');
      expect((stored?.['taken_at'] as Date).toISOString()).toBe('2024-03-01T08:00:00.000Z');
      expect(stored).toMatchObject({
        patient_id: 'p-0001',
        generation: 1960,
        ward_code: 'N-101',
        cohort: 'N-101/1960',
      });
      expect(stored?.['heart_rate']).toBeNull();
    } finally {
      await worker.shutdown();
    }
  });

  it('gives topics the broker’s time and the contract’s retention', async () => {
    const admin = kafkaClient(connection, 'operator').admin();
    await admin.connect();
    try {
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: 'provision_test.dead-letters' }],
      });
      const entries = resources[0]?.configEntries.map(
        ({ configName, configValue }) => [configName, configValue] as const,
      );
      expect(Object.fromEntries(entries ?? [])).toMatchObject({
        'message.timestamp.type': 'LogAppendTime',
        'retention.ms': String(30 * 86_400_000),
      });
    } finally {
      await admin.disconnect();
    }
  });
});

describe('a contract that changed', () => {
  it('adds a column', async () => {
    await applyProvision(connection, clinic(), settings);
    const wider = clinic((properties) => properties.push({ name: 'bed', logicalType: 'string' }));
    expect(kinds(await applyProvision(connection, wider, settings))).toEqual(['column']);
    expect(await planProvision(connection, wider, settings)).toEqual([]);
    const { rows } = await operator.execute(
      "SELECT column_name FROM system_schema.columns WHERE keyspace_name = 'provision_test' AND table_name = 'provision_test' AND column_name = 'bed'",
    );
    expect(rows).toHaveLength(1);
  });

  it('is refused, and changes nothing, where a column would change or go', async () => {
    const narrower = clinic((properties) => {
      properties.splice(
        properties.findIndex(({ name }) => name === 'cohort'),
        1,
      );
      properties.push({ name: 'bed', logicalType: 'integer' }, { name: 'floor', logicalType: 'integer' });
    });
    await expect(applyProvision(connection, narrower, settings)).rejects.toMatchObject({
      code: 'CONTRACT_CONFLICT',
      message: expect.stringMatching(/bed is text[\s\S]*cohort is not in the contract/) as string,
    });
    const { rows } = await operator.execute(
      "SELECT column_name FROM system_schema.columns WHERE keyspace_name = 'provision_test' AND table_name = 'provision_test' AND column_name = 'floor'",
    );
    expect(rows).toEqual([]);
  });
});
