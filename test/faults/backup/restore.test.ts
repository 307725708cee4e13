import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stackLayout } from '../../../stack/layout.ts';
import {
  backedUp,
  PLAIN_KEYSPACE,
  PLAIN_TABLE,
  type BackedUp,
  type TableState,
} from '../../support/faults/backup/backed-up.ts';
import { faultStack, FINE_WINDOWS, type FaultStack } from '../../support/faults/fault-stack.ts';
import { ledgerContract, ledgerFile, type Ledger } from '../../support/faults/ledger.ts';
import { startWardline, type RunningWardline } from '../../support/faults/process.ts';
import { untilStopped } from '../../support/faults/stopped.ts';
import type { Step } from '../../support/faults/stops-itself.ts';

const KEYS = 1500;
const FAILED = 1;
const REFUSED = 3;

let stack: FaultStack;
let our: BackedUp;
let ledger: Ledger;

beforeAll(async () => {
  stack = await faultStack(FINE_WINDOWS, ['notary', 'archiver']);
  our = await backedUp(stack);
  ledger = ledgerContract(stack.folder, 'backup-restore');
  await run('backed-up.csv', KEYS);
  await our.write();
  await our.run(['backup', 'create']);
  // Some rows over those of the backup and some beside them, which only the log archive holds.
  await run('archived.csv', KEYS + 100);
});

afterAll(async () => {
  try {
    await our.close();
  } finally {
    await stack.remove();
  }
});

async function run(name: string, keys: number): Promise<void> {
  const { path } = ledgerFile(stack.folder, name, keys);
  await our.run(['run', '--contract', ledger.contract, '--source', 'csv', '--path', path]);
}

const ledgerState = (): Promise<TableState> => our.state(ledger.table, 'amount');

const restoring = (table: string, ...flags: readonly string[]): string[] => [
  ...['restore', 'latest', '--table', table],
  ...flags,
];

/** Nothing that a restore needs for itself stays. */
async function expectTidy(): Promise<void> {
  await our.expectNothingLeft();
  expect(existsSync(join(stackLayout(stack.home).cassandra.data, 'restore'))).toBe(false);
  const { rows } = await our.client.execute('SELECT keyspace_name FROM system_schema.keyspaces');
  expect(rows.map((row) => String(row['keyspace_name'])).filter((name) => name.startsWith('wardline_'))).toEqual([
    'wardline_keys',
  ]);
}

describe.each<{ step: Step; flags: readonly string[]; passed?: number }>([
  { step: 'after a truncation', flags: ['--replace', '--yes'] },
  { step: 'during an import', flags: ['--replace', '--yes'] },
  { step: 'after a batch', flags: ['--replace', '--yes'], passed: 40 },
  { step: 'during an import', flags: [] },
])('a restore killed $step, with $flags', ({ step, flags, passed }) => {
  it('is run again, and ends with every row that the backup and the log archive hold', async () => {
    const before = await ledgerState();
    expect(before.rows).toBe(KEYS + 100);
    const killed: RunningWardline = startWardline(stack.home.path, restoring(ledger.table, ...flags), step);
    await untilStopped(killed, passed);
    const { error } = await our.run(restoring(ledger.table, ...flags), FAILED);
    expect(error).toMatchObject({ code: 'BACKUP_BUSY', hint: 'wait until it has ended' });
    await killed.kill();
    if (flags.length > 0) {
      // A backup of a table that may be half empty must not be what the next call restores.
      const { stderr } = await our.run(['backup', 'create']);
      expect(stderr).toMatch(/has not come to its end/);
    }
    const { json } = await our.run(restoring(ledger.table, ...flags));
    expect(json).toMatchObject({ auditFindings: [] });
    expect(await ledgerState()).toEqual(before);
    await expectTidy();
  });
});

describe('a restore with an identity that it was not encrypted to', () => {
  it('is refused before anything is touched', async () => {
    const before = await our.state();
    const other = join(stack.folder, 'other-identity.txt');
    writeFileSync(other, `${await generateX25519Identity()}\n`, { mode: 0o600 });
    const { error } = await our.run(restoring(PLAIN_TABLE, '--replace', '--yes', '--identity', other), REFUSED);
    expect(error?.code).toBe('IDENTITY_WRONG');
    expect(await our.state()).toEqual(before);
    await expectTidy();
  });
});

describe('a table whose schema changed since the backup', () => {
  it('takes what the backup holds where it only has more columns', async () => {
    const { rows } = await our.state();
    await our.client.execute(`ALTER TABLE ${PLAIN_TABLE} ADD more text`);
    await our.client.execute(`DELETE FROM ${PLAIN_TABLE} WHERE id IN (1, 2, 3)`);
    const { json } = await our.run(restoring(PLAIN_TABLE));
    expect(json).toMatchObject({ tables: [{ hidden: 3, live: { rows: rows - 3 } }] });
    await our.run(restoring(PLAIN_TABLE, '--replace', '--yes'));
    expect((await our.state()).rows).toBe(rows);
  });

  it('is left as it is where it lost columns, unless it is restored beside it or dropped', async () => {
    const { rows } = await our.state();
    await our.client.execute(`DROP TABLE ${PLAIN_TABLE}`);
    await our.client.execute(`CREATE TABLE ${PLAIN_TABLE} (id int PRIMARY KEY, other text)`);
    await our.client.execute(`INSERT INTO ${PLAIN_TABLE} (id, other) VALUES (1, 'new')`);
    const before = await our.state(PLAIN_TABLE, 'other');
    for (const flags of [[], ['--replace', '--yes']]) {
      const { error } = await our.run(restoring(PLAIN_TABLE, ...flags), REFUSED);
      expect(error).toMatchObject({
        code: 'CONTRACT_CONFLICT',
        message: expect.stringContaining('words text') as string,
        hint: expect.stringContaining('--as-keyspace') as string,
      });
      expect(await our.state(PLAIN_TABLE, 'other')).toEqual(before);
      await expectTidy();
    }
    await our.run(restoring(PLAIN_TABLE, '--as-keyspace', 'fault_aside'));
    const aside = await our.state(PLAIN_TABLE.replace(PLAIN_KEYSPACE, 'fault_aside'));
    expect(aside.rows).toBe(rows);
    await our.client.execute(`DROP TABLE ${PLAIN_TABLE}`);
    await our.run(restoring(PLAIN_TABLE));
    expect(await our.state()).toEqual(aside);
  });
});
