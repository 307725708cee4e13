import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureRecovery } from '../../../backup/recipients/recovery.ts';
import { systemClock } from '../../../core/clock.ts';
import { loadSettings } from '../../../core/configuration.ts';
import type { Connection } from '../../../core/connection.ts';
import { openOrCreateHome, type Home } from '../../../core/home.ts';
import { principalAccess } from '../../../security/certs/identities.ts';
import { cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import { stackStatus, startStack, stopStack } from '../../../stack/index.ts';
import { stackLayout } from '../../../stack/layout.ts';
import { killProcess, pids, readRows, recordedState, waitFor, writeRow } from '../../support/stack-processes.ts';

let folder: string;
let home: Home;
let connection: Connection;
const up = (): Promise<Connection> => startStack(home, loadSettings(home), () => undefined);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wardline-faults-'));
  home = openOrCreateHome(join(folder, 'a home with spaces'));
  await ensureRecovery(home, systemClock);
  connection = await up();
  await writeRow(connection, 1);
});

afterAll(async () => {
  await stopStack(home, { wipe: true });
  rmSync(folder, { recursive: true, force: true });
});

describe('when the supervisor is killed', () => {
  it('its servers go on, and the next start takes them over', async () => {
    const before = pids(home);
    await killProcess(home, 'supervisor');
    expect(stackStatus(home)).toMatchObject({
      supervisor: { running: false },
      servers: [{ running: true }, { running: true }],
    });
    await up();
    const after = pids(home);
    expect(after).toMatchObject({ kafka: before.kafka, cassandra: before.cassandra });
    expect(after.supervisor).not.toBe(before.supervisor);
  });

  it('a server taken over is watched like any other', async () => {
    const before = pids(home);
    await killProcess(home, 'kafka');
    await waitFor(() => pids(home).kafka !== before.kafka && stackStatus(home).servers[0]?.running === true);
    await up();
  });

  it('a process that was given the pid of a server is left alone', async () => {
    await killProcess(home, 'supervisor');
    const file = stackLayout(home).supervisor.state;
    const state = recordedState(home);
    const kafka = state.servers.kafka;
    const stranger = { pid: process.pid, started: kafka.process?.started ?? '' };
    const claimed = { ...state, servers: { ...state.servers, kafka: { ...kafka, process: stranger } } };
    writeFileSync(file, JSON.stringify(claimed));
    // Kafka itself still runs, unrecorded: it is found by its arguments, ended and started anew.
    await up();
    expect(pids(home).kafka).not.toBe(process.pid);
    expect(stackStatus(home).servers[0]?.pid).not.toBe(kafka.process?.pid);
  });

  it('stopping ends what it left behind', async () => {
    await killProcess(home, 'supervisor');
    await expect(stopStack(home, { wipe: false })).resolves.toBe(true);
    expect(stackStatus(home)).toMatchObject({ servers: [{ running: false }, { running: false }] });
  });

  it('survives a damaged state, plan and half-written configuration', async () => {
    const { supervisor, cassandra } = stackLayout(home);
    writeFileSync(supervisor.state, '{"supervisor": {"pid"');
    writeFileSync(supervisor.plan, '');
    writeFileSync(cassandra.configuration, 'cluster_name: [');
    await up();
    expect(await readRows(connection)).toEqual([1]);
  });
});

describe('a first start that was cut short', () => {
  it('is completed by the next one', async () => {
    await stopStack(home, { wipe: true });
    home = openOrCreateHome(join(folder, 'cut'));
    await ensureRecovery(home, systemClock);
    const { kafka, supervisor } = stackLayout(home);
    // Killed in the middle of a format: storage is there, its mark is not.
    await startAndKill();
    rmSync(supervisor.bootstrapped, { force: true });
    rmSync(kafka.formatted, { force: true });
    rmSync(principalAccess(home, 'reader').certificate, { force: true });
    connection = await up();
    const client = cassandraClient(connection, 'reader');
    expect((await client.execute('SELECT release_version FROM system.local')).rowLength).toBe(1);
    await client.shutdown();
  });

  /** Starts, and stops everything by force as soon as Cassandra's roles begin to appear. */
  async function startAndKill(): Promise<void> {
    const first = up();
    const cut = expect(first).rejects.toMatchObject({ code: 'SERVER_START_FAILED' });
    await waitFor(() => stackStatus(home).servers.every((server) => server.running));
    await killProcess(home, 'supervisor');
    // The start that lost its supervisor may have ended them first.
    await Promise.allSettled([killProcess(home, 'kafka'), killProcess(home, 'cassandra')]);
    await waitFor(() => stackStatus(home).servers.every((server) => !server.running));
    await cut;
  }
});
