import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { AUDIT_KEYSPACE, AUDIT_TOPIC, KEYS_KEYSPACE } from '../../security/principals/names.ts';
import { scratch } from '../support/scratch.ts';
import { Compose } from './docker.ts';
import { moreThan, program, rowsThere, storedRows } from './flow.ts';

const PATIENCE = 120_000;
/** Six servers, a minute and a half each. */
const UPGRADE_PATIENCE = 1_200_000;
const TABLE = 'iot_data.weather_condition_and_household_energy_consumption';
const NODES = ['', '-2', '-3'];

const PROJECT = 'wardline-cluster-test';
const FILES = ['docker-compose.yml', 'docker-compose.cluster.yml'];

const { folder } = scratch();
const settings = join(folder, 'small.yaml');
writeFileSync(settings, stringify({ servers: { kafkaHeapMegabytes: 256, cassandraHeapMegabytes: 512 } }));
const ENVIRONMENT = { WARDLINE_SETTINGS: settings };
const compose = new Compose(PROJECT, FILES, ENVIRONMENT);

/** The same with the servers' releases before these, from which it goes over to them. */
const older = new Compose(PROJECT, FILES, {
  ...ENVIRONMENT,
  KAFKA_IMAGE: process.env['KAFKA_IMAGE_BEFORE'],
  CASSANDRA_IMAGE: process.env['CASSANDRA_IMAGE_BEFORE'],
});

beforeAll(async () => {
  await compose.run('down', '--volumes', '--timeout', '5');
  await older.must('up', '--detach', '--no-build');
  await compose.healthy();
});
afterAll(async () => {
  if (process.env['KEEP'] === undefined) await compose.run('down', '--volumes', '--timeout', '10');
});

/** Partitions that have fewer copies up to date than they should, once there are none or no more patience. */
async function inSync(): Promise<readonly string[]> {
  for (const deadline = Date.now() + PATIENCE; ;) {
    const text = await program(
      compose,
      `
      await admin.connect();
      const { topics } = await admin.fetchTopicMetadata();
      await admin.disconnect();
      const behind = topics.flatMap(({ name, partitions }) => partitions.filter(({ isr }) => isr.length < 3)
        .map(({ partitionId }) => name + '/' + partitionId));
      console.log(JSON.stringify(behind));
    `,
    );
    const behind = JSON.parse(text) as readonly string[];
    if (behind.length === 0 || Date.now() > deadline) return behind;
    await sleep(1000);
  }
}

interface Placed {
  readonly topics: readonly { readonly name: string; readonly replicas: readonly number[] }[];
  readonly keyspaces: Readonly<Record<string, string>>;
}

describe('three nodes of each server', () => {
  it('hold everything three times', async () => {
    await moreThan(compose, 0);
    const { topics, keyspaces } = JSON.parse(
      await program(
        compose,
        `
        await admin.connect();
        const { topics } = await admin.fetchTopicMetadata();
        await admin.disconnect();
        const { rows } = await client.execute('SELECT keyspace_name, replication FROM system_schema.keyspaces');
        console.log(JSON.stringify({
          topics: topics.flatMap(({ name, partitions }) => partitions.map(({ replicas }) => ({ name, replicas }))),
          keyspaces: Object.fromEntries(rows.map((row) => [row.keyspace_name, row.replication.datacenter1])),
        }));
      `,
      ),
    ) as Placed;
    const names = new Set(topics.map(({ name }) => name));
    for (const name of [AUDIT_TOPIC, '__consumer_offsets']) expect([...names]).toContain(name);
    expect(topics.filter(({ replicas }) => replicas.length !== 3)).toEqual([]);
    for (const keyspace of ['iot_data', AUDIT_KEYSPACE, KEYS_KEYSPACE, 'system_auth'])
      expect([keyspace, keyspaces[keyspace]]).toEqual([keyspace, '3']);
  });

  it(
    'go over to other releases one node after another, and the flow goes on',
    async () => {
      const releases = (): Promise<string> =>
        program(
          compose,
          `
        const { rows } = await client.execute('SELECT release_version FROM system.local');
        const peers = await client.execute('SELECT release_version FROM system.peers_v2');
        console.log([...rows, ...peers.rows].map((row) => row.release_version).join(' '));
      `,
        );
      const before = (await releases()).trim().split(' ');
      for (const suffix of NODES)
        for (const server of ['kafka', 'cassandra']) {
          await compose.must('up', '--detach', '--no-build', '--no-deps', `${server}${suffix}`);
          await compose.healthy();
        }
      const after = (await releases()).trim().split(' ');
      expect([before.length, new Set(before).size, after.length, new Set(after).size]).toEqual([3, 1, 3, 1]);
      expect(after[0]).not.toBe(before[0]);
      const images = await compose.inspect(...NODES.map((suffix) => `kafka${suffix}`));
      expect(new Set([...images.values()].map(({ Config }) => Config.Image))).toEqual(
        new Set([process.env['KAFKA_IMAGE']]),
      );
      // What there is no way back from is a step of its own.
      const newest = (await compose.script('kafka-features', 'describe')).match(/metadata\.version.*/)?.[0] ?? '';
      const [, level, finalized] = /SupportedMaxVersion: (\S+)\s+FinalizedVersionLevel: (\S+)/.exec(newest) ?? [];
      expect(finalized).not.toBe(level);
      const release = process.env['KAFKA_IMAGE']?.replace(/^.*:(\d+\.\d+).*$/, '$1') ?? '';
      await compose.script('kafka-features', 'upgrade', '--release-version', release);
      expect(await compose.script('kafka-features', 'describe')).toMatch(`FinalizedVersionLevel: ${level ?? ''}`);
      const rows = await storedRows(compose);
      await expect(moreThan(compose, rows)).resolves.toBeGreaterThan(rows);
      expect((await compose.wardline('audit', 'verify')).code).toBe(0);
    },
    UPGRADE_PATIENCE,
  );

  it.each(NODES.map((suffix) => [`kafka${suffix}`, `cassandra${suffix}`] as const))(
    'go on where %s and %s are killed, and take them back',
    async (...servers) => {
      await compose.must('kill', ...servers);
      const before = await storedRows(compose);
      await expect(moreThan(compose, before)).resolves.toBeGreaterThan(before);
      await compose.must('up', '--detach', '--no-build', '--no-recreate', ...servers);
      await compose.healthy();
    },
  );

  it('take back a node whose disk is gone', async () => {
    const [kafka, cassandra] = ['kafka-2', 'cassandra-2'];
    await compose.must('kill', kafka, cassandra);
    // Whoever has a volume mounted keeps it, also when it has ended.
    await compose.must('rm', '--force', kafka, `${kafka}-format`, cassandra, 'init');
    await compose.must('rm', '--force', '--stop', 'archiver-2');
    await compose.removeVolumes(`${kafka}-data`, `${cassandra}-data`, `${cassandra}-commitlog`);
    const replacing = new Compose(PROJECT, FILES, {
      ...ENVIRONMENT,
      CASSANDRA_2_OPTIONS: `-Dcassandra.replace_address_first_boot=${cassandra}`,
    });
    await replacing.must('up', '--detach', '--no-build', '--no-recreate');
    await compose.healthy();
    const before = await storedRows(compose);
    await expect(moreThan(compose, before)).resolves.toBeGreaterThan(before);
    await expect(inSync()).resolves.toEqual([]);
  });

  it('lost nothing: every record that was sent is a row', async () => {
    await compose.must('stop', 'source');
    const [stopped] = await compose.json('audit', 'query', '--action', 'source.stop', '--limit', '1');
    const { counts } = stopped?.['event'] as { counts: { records: number; dead_letters: number } };
    const sent = counts.records - counts.dead_letters;
    expect(sent).toBeGreaterThan(1000);
    for (const deadline = Date.now() + PATIENCE; (await rowsThere(compose, TABLE)) < sent && Date.now() < deadline;)
      await sleep(1000);
    await expect(rowsThere(compose, TABLE)).resolves.toBe(sent);
    expect((await compose.wardline('audit', 'verify')).code).toBe(0);
  });

  it('are backed up each by who is beside it', async () => {
    const [made] = await compose.json('backup', 'create');
    const [shown] = await compose.json('backup', 'show', String(made?.['id']));
    const files = shown?.['files'] as readonly { readonly node: string }[];
    expect(new Set(files.map(({ node }) => node)).size).toBe(3);
    expect((await compose.wardline('backup', 'verify', 'latest', '--read-data')).code).toBe(0);
  });
});
