import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'cassandra-driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConnection, loadSettings } from '../../../core/configuration.ts';
import type { Connection } from '../../../core/connection.ts';
import { EVENTS_PER_BLOCK } from '../../../security/audit-keyspace/tables.ts';
import { cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import { auditLogAs, numberedEvents } from '../../support/audit/events.ts';
import { messagesOf, replaceLog, retold } from '../../support/audit/forge.ts';
import { notarized } from '../../support/audit/notarized.ts';
import { faultStack, type FaultStack } from '../../support/faults/fault-stack.ts';
import { startWardline } from '../../support/faults/process.ts';
import { wardlineOn } from '../../support/wardline.ts';

/** More than one block. */
const EVENTS = EVENTS_PER_BLOCK + 500;
/** An event that was denied, and is to have been a success. */
const FORGED = 4710;

let stack: FaultStack;
let connection: Connection;
let client: Client;

beforeAll(async () => {
  stack = await faultStack({}, []);
  connection = loadConnection(stack.home, loadSettings(stack.home));
  client = cassandraClient(connection, 'break-glass', { readTimeout: 60_000 });
  const audit = auditLogAs(stack.home, connection, 'operator');
  await audit.appendAll(numberedEvents(EVENTS));
  await audit.close();
  await notarized(stack.home.path, connection);
});

afterAll(async () => {
  await client.shutdown();
  await stack.remove();
});

const on = (args: readonly string[], expected = 0) => wardlineOn(stack.home.path, args, expected);

describe('a verification that is killed', () => {
  it('goes on, with --since-last, behind the last block that it found whole', async () => {
    const verifying = startWardline(stack.home.path, ['audit', 'verify'], 'after progress was kept');
    while (!existsSync(stack.home.paths.verified)) await sleep(20);
    expect(verifying.isRunning()).toBe(true);
    await verifying.kill();
    expect(await verifying.ended).toMatchObject({ code: null, stdout: '' });

    const { json } = await on(['audit', 'verify', '--since-last']);
    expect(json).toMatchObject({ whole: true, epochs: [{ epoch: 1 }] });
    const [{ events = 0 } = {}] = json['epochs'] as readonly { readonly events?: number }[];
    expect([events > 0, events < EVENTS_PER_BLOCK]).toEqual([true, true]);
    const all = (await on(['audit', 'verify'])).json['epochs'] as readonly { readonly events: number }[];
    expect(all[0]?.events).toBeGreaterThanOrEqual(EVENTS);
  });
});

describe('someone with every right and the notary’s own key, who rewrites all there is', () => {
  it('is seen by nobody but who kept a checkpoint elsewhere', async () => {
    const [note, key] = ['kept.note', 'kept.key'].map((name) => join(stack.folder, name)) as [string, string];
    const { json } = await on(['audit', 'checkpoint', '--out', note]);
    const size = Number(json['size']);
    expect(size).toBeGreaterThan(EVENTS);
    writeFileSync(key, `${((await on(['audit', 'key'])).json['keys'] as readonly string[]).join('\n')}\n`);
    const kept = ['--checkpoint', note, '--key', key];
    expect((await on(['audit', 'verify', ...kept])).json).toMatchObject({ whole: true, findings: [] });

    // The topic's first message is the notary's start, which came before the events or after them.
    const messages = await messagesOf(connection);
    const at = messages.findIndex((message) => message.toString() !== '' && isForged(message));
    const before = messages[at] ?? Buffer.alloc(0);
    const forged = messages.with(at, retold(connection, 'operator', before, { outcome: 'success' }));
    await replaceLog(stack.home, connection, client, forged);
    await notarized(stack.home.path, connection);

    const asked = ['audit', 'query', '--object', `test:number-${FORGED}`];
    expect((await on(asked)).items).toMatchObject([{ event: { outcome: 'success' } }]);
    const fooled = await on(['audit', 'verify', '--signatures']);
    expect(fooled.json).toMatchObject({ whole: true, findings: [] });
    const exposed = await on(['audit', 'verify', ...kept], 4);
    expect(exposed.json).toMatchObject({
      whole: false,
      findings: [{ kind: 'fork', epoch: 1, where: 'kept.note', to: size - 1 }],
    });
    expect((exposed.json['findings'] as readonly { readonly detail: string }[])[0]?.detail).toBe(
      `no copy of the log leads to the checkpoint of ${size} events that stands there`,
    );
  });
});

function isForged(message: Buffer): boolean {
  const payload = Buffer.from(message.toString().split('.')[1] ?? '', 'base64url').toString();
  return payload.includes(`"number-${FORGED}"`);
}
