import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scratch } from '../support/scratch.ts';
import { wardlineOn } from '../support/wardline.ts';
import { Compose } from './docker.ts';
import { moreThan, rowsThere, storedRows } from './flow.ts';

const PROJECT = 'wardline-move-test';
const RECORDS = 500;
const TABLE = 'iot_data.weather_condition_and_household_energy_consumption';
const compose = new Compose(PROJECT);
const { folder } = scratch();
const home = join(folder, 'home');

beforeAll(async () => {
  await compose.run('down', '--volumes', '--timeout', '5');
});
afterAll(async () => {
  await wardlineOn(home, ['down', '--wipe', '--yes']);
  if (process.env['KEEP'] === undefined) await compose.run('down', '--volumes', '--timeout', '10');
});

function rowsIn(restored: Readonly<Record<string, unknown>> | undefined): number | undefined {
  const tables = restored?.['tables'] as readonly { keyspace: string; table: string; live: { rows: number } }[];
  return tables.find(({ keyspace, table }) => `${keyspace}.${table}` === TABLE)?.live.rows;
}

describe('an installation', () => {
  it('moves from servers of its own into containers, with the commands of the operations guide', async () => {
    await wardlineOn(home, ['up']);
    const run = ['run', '--contract', 'smart-home', '--source', 'synthetic', '--limit', String(RECORDS)];
    expect((await wardlineOn(home, run)).json).toMatchObject({ records_stored: RECORDS });
    const { json: read } = await wardlineOn(home, ['backup', 'create']);
    expect(read['id']).toBeDefined();
    await wardlineOn(home, ['down']);
    await compose.script('move-in', home);
    await compose.must('up', '--detach', '--no-build', 'console');
    const [restored] = await compose.json('restore', 'latest', '--lost', 'kafka,cassandra');
    expect(restored).toMatchObject({ auditFindings: [], servers: { keys: { failed: [] } } });
    expect(rowsIn(restored)).toBe(RECORDS);
    await compose.must('up', '--detach', '--no-build');
    await compose.healthy();
    await expect(moreThan(compose, RECORDS)).resolves.toBeGreaterThan(RECORDS);
    const { code, stdout } = await compose.wardline('audit', 'verify');
    expect([code, stdout]).toEqual([0, expect.stringContaining('The audit log is whole')]);
    // Its first start is on the record, with what was stored then.
    const started = await compose.json('audit', 'query', '--action', 'stack.up');
    expect(started.length).toBe(1);
  });

  it('does not move in where another lives', async () => {
    await expect(compose.script('move-in', home)).rejects.toThrow(/the volumes hold a home already/);
  });

  it('comes back from a backup where both servers lost their data', async () => {
    await compose.must('stop', 'source');
    await compose.must('stop', 'worker');
    await compose.must('exec', '-T', 'console', 'wardline', 'backup', 'create');
    const [before, stored] = [await rowsThere(compose, TABLE), await storedRows(compose)];
    for (const server of ['kafka', 'cassandra']) await compose.must('kill', server);
    await compose.must('rm', '--force', '--stop');
    await compose.removeVolumes('kafka-data', 'cassandra-data', 'cassandra-commitlog');
    await compose.must('up', '--detach', '--no-build', 'console');
    const [restored] = await compose.json('restore', 'latest', '--lost', 'kafka,cassandra');
    expect(restored).toMatchObject({ auditFindings: [], servers: { keys: { failed: [] } } });
    expect(rowsIn(restored)).toBe(before);
    await compose.must('up', '--detach', '--no-build');
    await compose.healthy();
    await expect(moreThan(compose, stored)).resolves.toBeGreaterThan(stored);
    expect((await compose.wardline('audit', 'verify')).code).toBe(0);
  });
});
