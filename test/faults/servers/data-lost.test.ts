import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyEvent } from '../../../audit/event/verify-event.ts';
import { readSpool } from '../../../audit/spool/spool.ts';
import { trustedKeysOf } from '../../../cli/audit/sources.ts';
import { loadConnection, loadSettings } from '../../../core/configuration.ts';
import { openHome, type Home } from '../../../core/home.ts';
import { stackLayout, type ServerName } from '../../../stack/layout.ts';
import { signal } from '../../../stack/process/identity.ts';
import { runningServer } from '../../../stack/supervisor/control.ts';
import { loseData } from '../../support/faults/lose-data.ts';
import { outsideCredentials, plainCassandra } from '../../support/outside.ts';
import { verified } from '../../support/audit/verified.ts';
import { scratch } from '../../support/scratch.ts';
import { startWardline, wardline, wardlineOn } from '../../support/wardline.ts';

const PATIENCE = 60_000;
const path = join(scratch().folder, 'home');
let home: Home;

beforeAll(async () => {
  await wardlineOn(path, ['up']);
  home = openHome(path);
});

afterAll(async () => {
  await wardline(['down', '--wipe', '--yes', '--home', path]);
});

async function lose(...servers: readonly ServerName[]): Promise<void> {
  loseData(home, ...servers);
  await wardlineOn(path, ['up']);
}

const run = (expected?: number) =>
  wardlineOn(path, ['run', '--contract', 'smart-home', '--source', 'synthetic', '--limit', '20'], expected);

async function status() {
  const { json, stderr, code } = await wardline(['status', '--home', path, '--json']);
  const daemons = json['daemons'] as readonly { name: string; running: boolean; refusal?: string }[];
  return { code, stderr, notary: daemons.find(({ name }) => name === 'notary') };
}

async function untilNotary(wanted: (notary: Awaited<ReturnType<typeof status>>['notary']) => boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (!wanted((await status()).notary)) {
    if (Date.now() > deadline) throw new Error(`the notary is not as wanted: ${JSON.stringify(await status())}`);
    await sleep(300);
  }
}

/** What the home's spool says was lost, loss by loss. */
function lossesOnRecord(): (readonly string[])[] {
  const trusted = trustedKeysOf(loadConnection(home, loadSettings(home)));
  return readSpool(home.paths.spool, home.install)
    .map(({ event }) => verifyEvent(Buffer.from(event), trusted))
    .filter(({ action }) => action === 'stack.loss')
    .map(({ details }) => Object.keys(details ?? {}).toSorted());
}

/** Servers that came up empty are told apart from servers that are well, and are usable. */
async function expectEmptyAndSaid(...titles: readonly string[]): Promise<void> {
  expect((await status()).stderr).toContain(`the data of ${titles.join(' and ')} was lost`);
  const refused = await run(3);
  expect(refused.error?.hint).toContain('wardline restore latest');
  await wardlineOn(path, ['backup', 'create'], 3);
}

async function giveUp(): Promise<void> {
  await wardlineOn(path, ['up', '--accept-loss']);
  expect((await status()).stderr).not.toContain('was lost');
}

async function openEpoch(): Promise<void> {
  await untilNotary((notary) => notary?.refusal !== undefined);
  const declaring = startWardline(['notary', '--new-epoch', '--reason', 'lost by a test', '--home', path]);
  await untilNotary((notary) => notary?.running === true);
  declaring.stop();
  expect((await declaring.outcome).code).toBe(0);
  await untilNotary((notary) => notary?.running === true);
}

describe('the data of', () => {
  it('Cassandra alone is noticed; the notary fills the audit keyspace again from the topic', async () => {
    await lose('cassandra');
    await expectEmptyAndSaid('Cassandra');
    expect(lossesOnRecord()).toEqual([['cassandra']]);
    const credentials = await outsideCredentials(path, 'break-glass');
    const client = plainCassandra(credentials);
    const { rows } = await client.execute("SELECT can_login FROM system_auth.roles WHERE role = 'cassandra'");
    await client.shutdown();
    expect(rows[0]?.['can_login']).toBe(false);
    await giveUp();
    await run();
    await untilNotary((notary) => notary?.running === true);
    expect(await verified(path)).toMatchObject({ findings: [], declaredLosses: [] });
  });

  it('Kafka alone is noticed; the notary refuses until the loss is stated', async () => {
    await lose('kafka');
    await expectEmptyAndSaid('Kafka');
    await giveUp();
    await openEpoch();
    await run();
    const { declaredLosses: losses, findings } = await verified(path);
    expect(findings).toEqual([]);
    expect(losses).toMatchObject([{ epoch: 1 }]);
  });

  it('both is noticed, also by a notary that finds no trace of the old epoch but checkpoints in the home', async () => {
    await lose('kafka', 'cassandra');
    await expectEmptyAndSaid('Kafka', 'Cassandra');
    expect(lossesOnRecord()).toEqual([['cassandra'], ['kafka'], ['cassandra', 'kafka']]);
    await untilNotary((notary) => notary?.refusal !== undefined);
    expect(readdirSync(join(home.paths.checkpoints))).toEqual(['1', '2']);
  });

  it('both together with all else in their folders is noticed as well', async () => {
    for (const server of ['kafka', 'cassandra'] as const) {
      const running = runningServer(home, server);
      if (running !== undefined) signal(running, 'SIGKILL');
    }
    for (const folder of [home.paths.kafka, home.paths.cassandra])
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
    await wardlineOn(path, ['up']);
    await expectEmptyAndSaid('Kafka', 'Cassandra');
    expect(existsSync(stackLayout(home).kafka.formatted)).toBe(true);
  });
});
