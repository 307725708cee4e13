import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openReport, type DrillReport } from '../../backup/drill/report.ts';
import type { DrillState } from '../../backup/drill/state.ts';
import { storeNames } from '../../backup/naming.ts';
import { TASK_NAMES } from '../../backup/schedule/tasks.ts';
import { trustedKeysOf } from '../../cli/audit/sources.ts';
import { loadConnection, loadSettings } from '../../core/configuration.ts';
import { openHome } from '../../core/home.ts';
import { supervisorOf } from '../../stack/supervisor/control.ts';
import { DAEMON_NAMES } from '../../stack/layout.ts';
import { faultStack, NO_SCHEDULE, type FaultStack } from '../support/faults/fault-stack.ts';
import { startWardline } from '../support/faults/process.ts';
import { wardlineOn } from '../support/wardline.ts';

const RECORDS = 2000;
const TABLE = 'iot_data.weather_condition_and_household_energy_consumption';
const POLL_MILLISECONDS = 200;

let stack: FaultStack;

const run = (args: readonly string[], expected?: number) => wardlineOn(stack.home.path, args, expected);

function configure(schedule: Readonly<Record<string, unknown>>): void {
  writeFileSync(stack.home.paths.configuration, stringify({ backup: { schedule } }));
}

/** Homes of drills that are still there. */
function drillHomes(): readonly string[] {
  const { drills } = stack.home.paths;
  return existsSync(drills) ? readdirSync(drills).map((name) => join(drills, name)) : [];
}

async function until(isSo: () => boolean, what: string, milliseconds: number): Promise<void> {
  const deadline = Date.now() + milliseconds;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${milliseconds / 1000} s`);
    await sleep(POLL_MILLISECONDS);
  }
}

beforeAll(async () => {
  stack = await faultStack({}, DAEMON_NAMES);
  const source = ['--contract', 'smart-home', '--source', 'synthetic'];
  await run(['run', ...source, '--limit', String(RECORDS)]);
  await run(['backup', 'create']);
  await run(['run', ...source, '--seed', '7', '--homes', '7', '--limit', String(RECORDS / 2)]);
});

afterAll(async () => {
  await stack.remove();
});

it('a drill that is killed leaves nothing that the next one does not remove', async () => {
  const killed = startWardline(stack.home.path, ['backup', 'drill']);
  await until(
    () => drillHomes().some((path) => existsSync(join(path, 'connection.yaml'))),
    'a drill’s servers',
    120_000,
  );
  const [left = ''] = drillHomes();
  const supervisor = supervisorOf(openHome(left));
  expect(supervisor).toBeDefined();
  await killed.kill();

  const { json } = await run(['backup', 'drill', '--open-fields']);
  const { passed, checks, rpoSeconds, rtoSeconds, tables } = json as unknown as DrillReport;
  expect(checks.filter((check) => !check.passed)).toEqual([]);
  expect(passed).toBe(true);
  expect(rpoSeconds).toBeLessThanOrEqual(5);
  expect(rtoSeconds).toBeGreaterThan(0);
  const restored = tables.find(({ name }) => name === TABLE);
  expect(restored?.backedUp.rows).toBeGreaterThan(0);
  expect(restored?.replayed).toBeGreaterThan(0);
  const opened = checks.find(({ name }) => name.includes('sealed fields'));
  expect(opened?.found).toMatch(/^[1-9]\d* fields of [1-9]\d* subjects; 0 do not open/);
  expect(drillHomes()).toEqual([]);
  expect(() => process.kill(supervisor?.pid ?? 0, 0)).toThrow('ESRCH');
});

it('its report is signed, in the store and in the home, with a page beside it, and on the audit log', async () => {
  const { home } = stack;
  const state = ((await run(['status'])).json['schedule'] as { drill: DrillState }).drill;
  const trusted = trustedKeysOf(loadConnection(home, loadSettings(home)));
  const names = storeNames(home.install);
  for (const place of [
    join(home.paths.backup, 'drills', `${state.id}.jws`),
    join(home.paths.backupStore, names.drillReport(state.id, 'jws')),
  ])
    expect(openReport(readFileSync(place, 'utf8'), trusted)).toMatchObject({ id: state.id, passed: true });
  const page = readFileSync(join(home.paths.backupStore, names.drillReport(state.id, 'html')), 'utf8');
  expect(page).toContain(`${state.rtoSeconds} s`);
  const told = async (): Promise<readonly unknown[]> => {
    const { items } = await run(['audit', 'query', '--action', 'backup.drill']);
    return items.map(({ event }) => (event as { details: { what: string } }).details.what).toSorted();
  };
  // The first one was killed.
  await expect.poll(told, { timeout: 30_000 }).toEqual(['begun', 'begun', 'ended']);
  expect((await run(['audit', 'verify'])).json['findings']).toEqual([]);
});

it('a drill of a backup that is damaged fails, says so, and leaves nothing', async () => {
  const folder = join(stack.home.paths.backupStore, storeNames(stack.home.install).contents);
  const objects = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const { parentPath, name } of objects) {
    const path = join(parentPath, name);
    const bytes = readFileSync(path);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(path, bytes);
  }
  const { json } = await run(['backup', 'drill'], 4);
  const { passed, checks, rtoSeconds } = json as unknown as DrillReport;
  expect([passed, rtoSeconds]).toEqual([false, null]);
  expect(checks).toContainEqual(expect.objectContaining({ name: 'the backup can be restored', passed: false }));
  expect(drillHomes()).toEqual([]);
  // The next snapshot stores again what is damaged.
  await run(['backup', 'verify', 'latest', '--read-data'], 4);
});

it('the schedule runs a snapshot, a verification, a prune and a drill, and status says so', async () => {
  const at = '*/10 * * * * *';
  configure({ snapshot: at, verify: at, prune: at, drill: at, jitterSeconds: 0 });
  await stack.down();
  await stack.up();
  const before = ((await run(['status'])).json['schedule'] as { drill: DrillState }).drill;
  const file = join(stack.home.paths.backup, 'schedule.json');
  const isDone = (): boolean => {
    if (!existsSync(file)) return false;
    const tasks = JSON.parse(readFileSync(file, 'utf8')) as Record<string, { endedAt?: number; failures: number }>;
    return TASK_NAMES.every((name) => tasks[name]?.endedAt !== undefined && tasks[name].failures === 0);
  };
  await until(isDone, 'all four tasks', 420_000);
  const { tasks, drill } = (await run(['status'])).json['schedule'] as {
    tasks: Record<string, { startedAt: string | null; next: string }>;
    drill: DrillState;
  };
  for (const name of TASK_NAMES) expect(tasks[name]).toMatchObject({ startedAt: expect.any(String) as string });
  expect(drill.id > before.id).toBe(true);
  expect(drill).toMatchObject({ passed: true, rpoSeconds: expect.any(Number) as number });
  configure(NO_SCHEDULE);
  await stack.down();
  await stack.up();
  expect(drillHomes()).toEqual([]);
});
