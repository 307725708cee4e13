import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import kafkajs, { type AclEntry } from 'kafkajs';
import { beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { AUDIT_KEYSPACE, AUDIT_TOPIC } from '../../security/principals/names.ts';
import { contractVariant } from '../support/inputs/contract-variant.ts';
import { scratch } from '../support/scratch.ts';
import { withStack } from '../support/stack.ts';
import { wardline, wardlineOn, type WardlineOutcome } from '../support/wardline.ts';

const { home, connection } = withStack();
const files = scratch();
const contract = contractVariant('smart-home', files.folder, 'doctor');

interface CheckRow {
  readonly id: string;
  readonly state: string;
  readonly evidence: string;
  readonly remedy?: string;
}

const doctor = (...flags: string[]): Promise<WardlineOutcome> =>
  wardline(['doctor', ...flags, '--home', home.path, '--json']);

const checksOf = ({ json }: WardlineOutcome): readonly CheckRow[] => json['checks'] as readonly CheckRow[];

const failuresOf = (outcome: WardlineOutcome): readonly CheckRow[] =>
  checksOf(outcome).filter(({ state }) => state === 'failed');

beforeAll(() => wardlineOn(home.path, ['contract', 'apply', contract.path]));

describe('doctor', () => {
  it('finds nothing wrong with servers that are as they were set up, and tried everything', async () => {
    const outcome = await doctor();
    expect(failuresOf(outcome)).toEqual([]);
    expect(outcome.code).toBe(0);
    const checks = checksOf(outcome);
    expect(checks.length).toBeGreaterThan(80);
    // The internode protocol knows no logins, and a machine may have no address but loopback.
    const untried = checks.filter(({ state }) => state === 'not tried').map(({ id }) => id);
    expect(untried.filter((id) => id !== 'addresses/loopback')).toEqual([
      'cassandra-internode/no-login',
      'cassandra-guardrails/drop-keyspace',
    ]);
    for (const { evidence } of checks) expect(evidence).not.toBe('');
  });

  it('tries only what is asked for', async () => {
    const outcome = await doctor('--only', 'kafka-client/plaintext', 'files');
    expect(checksOf(outcome).map(({ id }) => id)).toEqual(['kafka-client/plaintext', 'files/modes']);
  });
});

describe('doctor finds, and says how to mend,', () => {
  it('that nobody listens: then nothing is known of whom a listener would refuse', async () => {
    const elsewhere = { ...connection, mode: 'external', kafka: { ...connection.kafka, brokers: ['127.0.0.1:1'] } };
    const config = files.file('nobody.yaml', stringify({ connection: elsewhere }));
    const wanted = ['no-certificate', 'tls-1.1', 'plaintext', 'no-login'].map((name) => `kafka-client/${name}`);
    const outcome = await doctor('--config', config, '--only', ...wanted);
    expect(failuresOf(outcome).map(({ id }) => id)).toEqual(wanted);
    for (const { evidence } of failuresOf(outcome)) expect(evidence).toContain('ECONNREFUSED');
  });

  it('a secret that others may read, also in SARIF', async () => {
    const { passwordFile = '' } = connection.principals['reader'] ?? {};
    const folder = join(passwordFile, '..');
    const sarif = files.file('doctor.sarif', '');
    const open = [home.path, home.paths.principals, folder, passwordFile];
    for (const path of open) chmodSync(path, path === passwordFile ? 0o644 : 0o755);
    try {
      const outcome = await doctor('--only', 'files', '--sarif', sarif);
      expect(outcome.code).toBe(4);
      expect(failuresOf(outcome)).toMatchObject([
        { id: 'files/modes', remedy: expect.stringContaining('chmod') as string },
      ]);
      const { version, runs } = JSON.parse(readFileSync(sarif, 'utf8')) as {
        version: string;
        runs: readonly { results: readonly { ruleId: string }[] }[];
      };
      expect([version, runs[0]?.results.map(({ ruleId }) => ruleId)]).toEqual(['2.1.0', ['files/modes']]);
    } finally {
      for (const path of open) chmodSync(path, path === passwordFile ? 0o600 : 0o700);
    }
  });

  it('rights that the table does not give', async () => {
    const superUser = cassandraClient(connection, 'break-glass');
    const admin = kafkaClient(connection, 'break-glass').admin();
    await admin.connect();
    const acl: AclEntry = {
      resourceType: kafkajs.AclResourceTypes.TOPIC,
      resourceName: AUDIT_TOPIC,
      resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL,
      principal: 'User:worker',
      host: '*',
      operation: kafkajs.AclOperationTypes.DELETE,
      permissionType: kafkajs.AclPermissionTypes.ALLOW,
    };
    try {
      await superUser.execute(`GRANT MODIFY ON KEYSPACE "${AUDIT_KEYSPACE}" TO reader`);
      await admin.createAcls({ acl: [acl] });
      const wanted = ['cassandra-rights/reader', 'kafka-rights/worker/empties'];
      await expect
        .poll(
          async () =>
            failuresOf(await doctor('--only', ...wanted))
              .map(({ id }) => id)
              .toSorted(),
          {
            timeout: 30_000,
          },
        )
        .toEqual(wanted);
    } finally {
      await superUser.execute(`REVOKE MODIFY ON KEYSPACE "${AUDIT_KEYSPACE}" FROM reader`);
      await superUser.shutdown();
      await admin.deleteAcls({ filters: [acl] });
      await admin.disconnect();
    }
  });

  it('a login of Cassandra that everybody knows', async () => {
    const superUser = cassandraClient(connection, 'break-glass');
    try {
      await superUser.execute("ALTER ROLE cassandra WITH PASSWORD = 'cassandra' AND LOGIN = true");
      const wanted = 'cassandra-login/default';
      await expect
        .poll(async () => failuresOf(await doctor('--only', wanted)).map(({ id }) => id), { timeout: 30_000 })
        .toEqual([wanted]);
    } finally {
      await superUser.execute('ALTER ROLE cassandra WITH LOGIN = false');
      await superUser.shutdown();
    }
  });

  it('a certificate that is not what it should be', async () => {
    const { certificate = '' } = connection.principals['auditor'] ?? {};
    const aside = `${certificate}.aside`;
    renameSync(certificate, aside);
    try {
      writeFileSync(certificate, readFileSync(connection.principals['reader']?.certificate ?? ''), { mode: 0o600 });
      const outcome = await doctor('--only', 'certificates/sound');
      expect([outcome.code, failuresOf(outcome)]).toMatchObject([
        4,
        [{ evidence: expect.stringContaining('auditor') as string }],
      ]);
    } finally {
      rmSync(certificate);
      renameSync(aside, certificate);
    }
  });
});
