import { beforeAll, expect, it } from 'vitest';
import { cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import { dekTableName } from '../../../security/keyring/dek-schema.ts';
import { KEYS_KEYSPACE } from '../../../security/principals/names.ts';
import { nodetool, restartServer } from '../../../stack/index.ts';
import { stackLayout } from '../../../stack/layout.ts';
import { filesWith } from '../../support/inputs/byte-search.ts';
import { contractVariant } from '../../support/inputs/contract-variant.ts';
import { readings, smartHomeCsv } from '../../support/inputs/smart-home-csv.ts';
import { scratch } from '../../support/scratch.ts';
import { withStack } from '../../support/stack.ts';
import { wardlineOn } from '../../support/wardline.ts';

const { home, connection } = withStack();
const files = scratch();
const contract = contractVariant('smart-home', files.folder, 'keys-on-disk');
const { data, commitLog } = stackLayout(home).cassandra;
const PATIENCE = { timeout: 30_000, interval: 500 };
/** Long enough to be nothing else's, short enough to survive the compression of a block. */
const NEEDLE_CHARACTERS = 24;

const source = (subject: string): string[] => [
  ...['run', '--contract', contract.path, '--source', 'csv'],
  ...['--path', files.file(`${subject}.csv`, smartHomeCsv(readings(3))), '--set', `home_id=${subject}`],
];

/** The end of each wrapped key of a subject, as it stands in the tables. */
async function needlesOf(subject: string): Promise<Buffer[]> {
  const client = cassandraClient(connection, 'operator');
  try {
    const found = await Promise.all(
      (['personal', 'restricted'] as const).map((classification) =>
        client.execute(
          `SELECT wrapped FROM ${KEYS_KEYSPACE}.${dekTableName(contract.id, classification)} WHERE subject = ?`,
          [subject],
          { prepare: true },
        ),
      ),
    );
    return found.flatMap(({ rows }) =>
      rows.map((row) => Buffer.from(String(row['wrapped']).slice(-NEEDLE_CHARACTERS))),
    );
  } finally {
    await client.shutdown();
  }
}

let erased: Buffer[];
let kept: Buffer[];

beforeAll(async () => {
  await wardlineOn(home.path, source('erased-home'));
  await wardlineOn(home.path, source('kept-home'));
  [erased, kept] = await Promise.all([needlesOf('erased-home'), needlesOf('kept-home')]);
  await nodetool(home, ['flush']);
});

it('a wrapped key is on disk, in the tables and in the commit log, before it is destroyed', () => {
  expect(erased.length).toBeGreaterThan(0);
  for (const needle of erased) {
    expect(filesWith(data, [needle])).not.toEqual([]);
    expect(filesWith(commitLog, [needle])).not.toEqual([]);
  }
});

it('is in none of Cassandra’s table files once it is destroyed; the keys of others are', async () => {
  const { json } = await wardlineOn(home.path, [
    'keys',
    'destroy',
    'erased-home',
    '--contract',
    contract.path,
    '--yes',
  ]);
  expect(json).toMatchObject({ forgotten_on_disk: true });
  // Files that a compaction replaced are unlinked a moment after it.
  await expect.poll(() => filesWith(data, erased), PATIENCE).toEqual([]);
  for (const needle of kept) expect(filesWith(data, [needle])).not.toEqual([]);
});

it('is in the commit log until Cassandra is restarted, and nowhere then', async () => {
  await restartServer(home, 'cassandra');
  await expect.poll(() => filesWith(commitLog, erased), PATIENCE).toEqual([]);
  expect(filesWith(data, erased)).toEqual([]);
  await wardlineOn(home.path, ['keys', 'check', '--contract', contract.path]);
});
