import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backedUp, PLAIN_TABLE, type BackedUp } from '../../support/faults/backup/backed-up.ts';
import type { BackupStep } from '../../support/faults/backup/steps.ts';
import { faultStack, type FaultStack } from '../../support/faults/fault-stack.ts';
import { startWardline, type RunningWardline } from '../../support/faults/process.ts';
import { letGo, untilStopped } from '../../support/faults/stopped.ts';

/** Of several backups only the newest is to stay. */
const RETENTION = { keepLast: 1, hourly: 0, daily: 0, weekly: 0, monthly: 0, withinHours: 0 };
const TWO_DAYS = 2 * 86_400_000;

let stack: FaultStack;
let our: BackedUp;

beforeAll(async () => {
  stack = await faultStack({ backup: { retention: RETENTION } }, ['notary']);
  our = await backedUp(stack);
  await our.write();
  await our.run(['backup', 'create']);
});

afterAll(async () => {
  try {
    await our.close();
  } finally {
    await stack.remove();
  }
});

const start = (args: readonly string[], step: BackupStep): RunningWardline =>
  startWardline(stack.home.path, args, step);

const create = async (): Promise<string> => String((await our.run(['backup', 'create'])).json['id']);

/** What no manifest names may go a day after it was stored: makes everything in the store as old as two. */
function age(): void {
  const time = (Date.now() - TWO_DAYS) / 1000;
  const folder = stack.home.paths.backupStore;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) utimesSync(join(entry.parentPath, entry.name), time, time);
}

describe.each<{ step: BackupStep; passed?: number; isMade: boolean }>([
  { step: 'before a snapshot', isMade: false },
  { step: 'during a snapshot', isMade: false },
  { step: 'after a snapshot', isMade: false },
  { step: 'after an object', passed: 3, isMade: false },
  { step: 'before a manifest', isMade: false },
  { step: 'after a manifest', isMade: true },
])('a backup killed $step', ({ step, passed, isMade }) => {
  it(`${isMade ? 'stands' : 'is none'}, and the next one is whole and leaves nothing behind`, async () => {
    const before = await our.backups();
    await our.write();
    const killed = start(['backup', 'create'], step);
    await untilStopped(killed, passed);
    await killed.kill();
    const after = await our.backups();
    expect(after.length).toBe(before.length + (isMade ? 1 : 0));
    for (const id of after.slice(before.length)) await our.expectWhole(id);
    const id = await create();
    expect(await our.backups()).toEqual([...after, id]);
    await our.expectWhole(id);
    await our.expectNothingLeft();
  });
});

describe('the backup after all these', () => {
  it('gives the table back as it was', async () => {
    const before = await our.state();
    expect(before.rows).toBeGreaterThan(1000);
    await create();
    await our.client.execute(`DROP TABLE ${PLAIN_TABLE}`);
    await our.run(['restore', 'latest', '--table', PLAIN_TABLE]);
    expect(await our.state()).toEqual(before);
  });
});

describe('while a backup is under way', () => {
  it('another of the home is refused, a prune removes no object, and the backup ends whole', async () => {
    await our.write();
    age();
    const frozen = start(['backup', 'create'], 'after an object');
    await untilStopped(frozen, 1);
    const { error } = await our.run(['backup', 'create'], 1);
    expect(error).toMatchObject({ code: 'BACKUP_BUSY', hint: expect.stringMatching(/wait/) as string });
    const objects = await our.stored('contents');
    const { json } = await our.run(['backup', 'prune', '--yes']);
    expect(json).toMatchObject({ removedObjects: 0, held: expect.stringMatching(/under way/) as string });
    expect(await our.stored('contents')).toEqual(objects);
    const { code, stdout, stderr } = await letGo(frozen);
    expect([code, stderr]).toEqual([0, '']);
    await our.expectWhole((JSON.parse(stdout) as { id: string }).id);
    await our.expectNothingLeft();
  });
});

describe('while a backup is under way', () => {
  it('a restore that empties a table waits for its end: no backup sees half of a table', async () => {
    await our.write();
    await create();
    const before = await our.state();
    const frozen = start(['backup', 'create'], 'after an object');
    await our.write(30);
    await untilStopped(frozen, 0);
    const restoring = startWardline(stack.home.path, [
      'restore',
      'latest',
      '--table',
      PLAIN_TABLE,
      '--replace',
      '--yes',
    ]);
    await restoring.says(/waiting for the backup that is under way/);
    expect((await our.state()).rows).toBeGreaterThan(before.rows);
    expect((await letGo(frozen)).code).toBe(0);
    expect((await restoring.ended).code).toBe(0);
    expect(await our.state()).toEqual(before);
  });
});

describe('while a prune is under way', () => {
  it('a backup waits for its end, and both do what they should', async () => {
    await our.write();
    age();
    const frozen = start(['backup', 'prune', '--yes'], 'after an object was removed');
    await untilStopped(frozen, 1);
    const waiting = startWardline(stack.home.path, ['backup', 'create']);
    const marks = () => our.stored('marks').then((names) => names.length);
    await expect.poll(marks, { timeout: 30_000 }).toBe(2);
    expect(await our.backups()).toHaveLength(1);
    expect((await letGo(frozen)).code).toBe(0);
    const { code, stdout, stderr } = await waiting.ended;
    expect([code, stderr]).toEqual([0, '']);
    await our.expectWhole((JSON.parse(stdout) as { id: string }).id);
    await our.expectNothingLeft();
  });
});

describe.each<{ step: BackupStep; passed: number }>([
  { step: 'after a manifest was removed', passed: 0 },
  { step: 'after an object was removed', passed: 2 },
])('a prune killed $step', ({ step, passed }) => {
  it('leaves every backup that is listed whole, and the next one removes the rest', async () => {
    for (let backups = 0; backups < 2; backups += 1) {
      // Nothing of the backup before is in the one after: every file of the table is another.
      await our.client.execute(`TRUNCATE ${PLAIN_TABLE}`);
      await our.write();
      await create();
    }
    age();
    const before = await our.backups();
    const killed = start(['backup', 'prune', '--yes'], step);
    await untilStopped(killed, passed);
    await killed.kill();
    const after = await our.backups();
    expect(before.length).toBeGreaterThan(after.length);
    for (const id of after) await our.expectWhole(id);
    await our.run(['backup', 'prune', '--yes']);
    const [last = '', ...others] = await our.backups();
    expect([last, others]).toEqual([before.at(-1), []]);
    await our.expectWhole(last);
    await our.expectNothingLeft();
    const { json } = await our.run(['backup', 'show', last]);
    const needed = new Set((json['files'] as readonly { object: string }[]).map(({ object }) => object));
    expect(await our.stored('contents')).toHaveLength(needed.size);
    await our.write();
    await our.expectWhole(await create());
  });
});
