import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerName } from '../../../stack/index.ts';
import { backedUp, type BackedUp } from '../../support/faults/backup/backed-up.ts';
import { faultStack, FINE_WINDOWS, type FaultStack } from '../../support/faults/fault-stack.ts';
import { ledgerContract, ledgerFile, type Ledger } from '../../support/faults/ledger.ts';
import { startWardline, type End } from '../../support/faults/process.ts';
import { letGo, untilStopped } from '../../support/faults/stopped.ts';
import type { Step } from '../../support/faults/stops-itself.ts';

const KEYS = 1000;
const UNREACHABLE = 5;
/** What a command may take to say that it waits in vain: two waits of a minute, one after another, and the way to them. */
const BOUND_MILLISECONDS = 180_000;

let stack: FaultStack;
let our: BackedUp;
let ledger: Ledger;

beforeAll(async () => {
  stack = await faultStack(FINE_WINDOWS, ['notary', 'archiver']);
  our = await backedUp(stack);
  ledger = ledgerContract(stack.folder, 'backup-servers');
  await our.run(['contract', 'apply', ledger.contract]);
  await our.write();
  await our.run(['backup', 'create']);
  // All of it is in the log archive alone.
  const { path } = ledgerFile(stack.folder, 'backup-servers.csv', KEYS);
  await our.run(['run', '--contract', ledger.contract, '--source', 'csv', '--path', path]);
});

afterAll(async () => {
  try {
    await our.close();
  } finally {
    await stack.remove();
  }
});

const answers = (): Promise<boolean> =>
  our.client.execute('SELECT key FROM system.local').then(
    () => true,
    () => false,
  );

function errorOf({ stderr }: End): { readonly code?: string; readonly message?: string; readonly hint?: string } {
  const last = stderr.trimEnd().split('\n').at(-1) ?? '';
  return last.startsWith('{') ? (JSON.parse(last) as { error: object }).error : {};
}

/** Stops a command at a step, does something to the servers, and lets it go on to its end, which must come. */
async function disturbed(
  args: readonly string[],
  step: Step,
  passed: number,
  fault: () => Promise<void>,
): Promise<End> {
  const frozen = startWardline(stack.home.path, args, step);
  await untilStopped(frozen, passed);
  await fault();
  const ended = await Promise.race([letGo(frozen), sleep(BOUND_MILLISECONDS)]);
  if (ended !== undefined) return ended;
  await frozen.kill();
  throw new Error(`wardline ${args.join(' ')} did not end, but said:\n${frozen.said()}`);
}

/** Nobody starts them again. */
async function lose(...servers: readonly ServerName[]): Promise<void> {
  await stack.killSupervisor();
  for (const server of servers) stack.signalServer(server, 'SIGKILL');
}

/** First of all: a backup that is made in between holds what these replay from the log archive. */
const RESTORE = ['restore', 'latest', '--replace', '--yes', '--table'];

describe.each<{ command: 'restore' | 'backup'; gone: readonly ServerName[]; step: Step; code: string }>([
  { command: 'restore', gone: ['cassandra', 'kafka'], step: 'after a batch', code: 'CASSANDRA_UNREACHABLE' },
  { command: 'restore', gone: ['kafka'], step: 'after a truncation', code: 'AUDIT_UNAVAILABLE' },
  { command: 'backup', gone: ['kafka'], step: 'after an object', code: 'AUDIT_UNAVAILABLE' },
])('a $command during which $gone are gone for good', ({ command, gone, step, code }) => {
  it('ends, says why, and can be run again', async () => {
    const before = await our.state(ledger.table, 'amount');
    expect(before.rows).toBe(KEYS);
    await our.write();
    const args = command === 'restore' ? [...RESTORE, ledger.table] : ['backup', 'create'];
    const ended = await disturbed(args, step, step === 'after a batch' ? 20 : 0, () => lose(...gone));
    expect([ended.code, errorOf(ended)]).toEqual([UNREACHABLE, expect.objectContaining({ code })]);
    await stack.up();
    await expect.poll(answers, { timeout: 90_000 }).toBe(true);
    const { json } = await our.run(args);
    expect(json).toMatchObject(
      command === 'restore' ? { auditFindings: [] } : { tables: expect.any(Array) as unknown },
    );
    expect(await our.state(ledger.table, 'amount')).toEqual(before);
    for (const id of await our.backups()) await our.expectWhole(id);
    await our.expectNothingLeft();
  });
});

describe('a backup during which Cassandra is killed', () => {
  it('says so where the snapshot is not taken, and the next one is whole and leaves nothing behind', async () => {
    const before = await our.backups();
    const ended = await disturbed(['backup', 'create'], 'during a snapshot', 0, () => lose('cassandra'));
    expect([ended.code, errorOf(ended)]).toEqual([
      UNREACHABLE,
      expect.objectContaining({ code: 'CASSANDRA_UNREACHABLE' }),
    ]);
    expect(await our.backups()).toEqual(before);
    await stack.up();
    await expect.poll(answers, { timeout: 90_000 }).toBe(true);
    const { json } = await our.run(['backup', 'create']);
    await our.expectWhole(String(json['id']));
    await our.expectNothingLeft();
  });

  it('is finished where all that is left is to store files, and leaves no snapshot, though Cassandra is away', async () => {
    await our.write();
    const kill = (): Promise<void> => stack.killServer('cassandra');
    const { code, stdout, stderr } = await disturbed(['backup', 'create'], 'after an object', 1, kill);
    expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
    await our.expectWhole((JSON.parse(stdout) as { id: string }).id);
    await our.expectNothingLeft();
    await expect.poll(answers, { timeout: 90_000 }).toBe(true);
  });
});
