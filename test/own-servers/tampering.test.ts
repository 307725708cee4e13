import { generateKeyPairSync } from 'node:crypto';
import type { Client } from 'cassandra-driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signCheckpoint } from '../../audit/checkpoint/checkpoint.ts';
import { noteSigner } from '../../audit/checkpoint/signed-note.ts';
import { leafHash } from '../../audit/merkle/hash.ts';
import { rootOf } from '../../audit/merkle/tree.ts';
import { MARK_BYTES, markOf } from '../../audit/store/summary.ts';
import type { Finding } from '../../audit/verify/finding.ts';
import { loadConnection, loadSettings } from '../../core/configuration.ts';
import type { Connection } from '../../core/connection.ts';
import { EVENTS_PER_SUMMARY } from '../../security/audit-keyspace/tables.ts';
import { cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { AUDIT_TOPIC } from '../../security/principals/names.ts';
import { auditRows, blockOfSequence, type AuditRows, type Row } from '../support/audit/audit-rows.ts';
import { appendForeign, auditLogAs, numberedEvents } from '../support/audit/events.ts';
import { messagesOf } from '../support/audit/forge.ts';
import { notarized } from '../support/audit/notarized.ts';
import { faultStack, type FaultStack } from '../support/faults/fault-stack.ts';
import { wardlineOn } from '../support/wardline.ts';

/** More than one block, so that tiles and blocks are passed. */
const EVENTS = 17_000;
const TILE = 256;

let stack: FaultStack;
let connection: Connection;
let client: Client;
let rows: AuditRows;
/** Events under the largest checkpoint. */
let size: number;
let origin: string;

beforeAll(async () => {
  stack = await faultStack({}, []);
  connection = loadConnection(stack.home, loadSettings(stack.home));
  client = cassandraClient(connection, 'break-glass');
  rows = auditRows(client, 1);
  origin = `${stack.home.install}/audit/1`;
  const audit = auditLogAs(stack.home, connection, 'operator');
  await audit.appendAll(numberedEvents(EVENTS));
  await audit.close();
  await notarized(stack.home.path, connection);
  size = await signedSize();
});

afterAll(async () => {
  await client.shutdown();
  await stack.remove();
});

/** Runs `audit verify`, which must end so, and gives what it found. */
async function verify(expected: 0 | 4, ...flags: string[]): Promise<readonly Finding[]> {
  const { json } = await wardlineOn(stack.home.path, ['audit', 'verify', ...flags], expected);
  return json['findings'] as Finding[];
}

/** Does damage, tells what `verify` finds, and mends it again: what is not mended, the next case finds beside its own. */
async function found(damage: () => Promise<void>, repair: () => Promise<void>, ...flags: string[]) {
  await damage();
  try {
    return await verify(4, ...flags);
  } finally {
    await repair();
  }
}

async function checkpointRows(): Promise<readonly Row[]> {
  const found: Row[] = [];
  for (const block of [0, 1])
    found.push(...(await rows.execute('SELECT * FROM audit.checkpoints WHERE epoch = 1 AND block = ?', [block])));
  return found;
}

async function signedSize(): Promise<number> {
  return Number((await checkpointRows()).at(-1)?.['size']);
}

const inKeyspace = (kind: Finding['kind'], from: number, to = from) =>
  expect.objectContaining({ kind, epoch: 1, where: 'audit keyspace', from, to }) as Finding;

describe('someone with all rights on Cassandra', () => {
  it('is found out for changing the text of an event', async () => {
    const row = await rows.read(16_500);
    const message = Buffer.from(row['message'] as Buffer);
    message[message.length - 9] = (message[message.length - 9] ?? 0) ^ 1;
    const damage = () => rows.put({ ...row, message });
    expect(await found(damage, () => rows.put(row))).toEqual([inKeyspace('changed', 16_500)]);
  });

  it('is found out for removing an event', async () => {
    const row = await rows.read(4711);
    expect(
      await found(
        () => rows.remove(4711),
        () => rows.put(row),
      ),
    ).toEqual([inKeyspace('missing', 4711)]);
  });

  it('is found out for putting in an event, beyond the end or in a partition of its own', async () => {
    const row = await rows.read(0);
    const beyond = { ...row, block: 1, sequence: 30_000 };
    expect(
      await found(
        () => rows.put(beyond),
        () => rows.remove(30_000),
      ),
    ).toEqual([inKeyspace('added', 30_000)]);
    const stray = { ...row, epoch: 7, block: 3 };
    const remove = async (): Promise<void> => {
      await rows.execute('DELETE FROM audit.events WHERE epoch = 7 AND block = 3');
    };
    expect(await found(() => rows.put(stray), remove)).toMatchObject([{ kind: 'added', epoch: 7 }]);
  });

  it('is found out for having two events change places', async () => {
    const [a, b] = [await rows.read(100), await rows.read(16_400)];
    const place = ({ epoch, block, sequence }: Row): Row => ({ epoch, block, sequence });
    const swap = () => rows.put({ ...b, ...place(a) }, { ...a, ...place(b) });
    const findings = await found(swap, () => rows.put(a, b));
    expect(findings).toEqual([inKeyspace('reordered', 100), inKeyspace('reordered', 16_400)]);
    expect(findings[0]?.detail).toContain('16400');
  });

  it('is found out for removing the newest hundred events', async () => {
    const sequences = Array.from({ length: 100 }, (_, at) => size - 100 + at);
    const kept = await Promise.all(sequences.map((sequence) => rows.read(sequence)));
    const findings = await found(
      () => rows.remove(...sequences),
      () => rows.put(...kept),
    );
    expect(findings).toEqual([inKeyspace('missing', size - 100, size - 1)]);
  });

  it('is found out for putting an old copy of all tables back', async () => {
    const old = 16_384;
    const range = `epoch = 1 AND block = 1`;
    const events = await rows.execute(`SELECT * FROM audit.events WHERE ${range}`);
    const checkpoints = await rows.execute(`SELECT * FROM audit.checkpoints WHERE ${range}`);
    const damage = async (): Promise<void> => {
      for (const table of ['events', 'checkpoints']) await rows.execute(`DELETE FROM audit.${table} WHERE ${range}`);
    };
    const repair = async (): Promise<void> => {
      await rows.put(...events);
      for (const { size: at, note } of checkpoints) await putCheckpoint(Number(at), String(note));
    };
    expect(await found(damage, repair)).toEqual([inKeyspace('missing', old, size - 1)]);
  });

  it('is found out for hiding an event from those who look for it', async () => {
    const [hidden, first] = [4711, 4711 - (4711 % EVENTS_PER_SUMMARY)];
    const place = `epoch = 1 AND block = 0 AND first = ${first}`;
    const [{ outcome, latest } = {}] = await rows.execute(`SELECT outcome, latest FROM audit.summaries WHERE ${place}`);
    const set = async (name: string, value: unknown): Promise<void> => {
      await rows.execute(`UPDATE audit.summaries SET ${name} = ? WHERE ${place}`, [value]);
    };
    const other = Buffer.from(outcome as Buffer);
    other.writeUInt32BE(markOf('denied'), (hidden - first) * MARK_BYTES);
    const changed = await found(
      () => set('outcome', other),
      () => set('outcome', outcome),
    );
    expect(changed).toMatchObject([{ kind: 'changed', where: 'summaries', from: hidden, to: hidden }]);
    expect(changed[0]?.detail).toContain('outcome');
    const cut = await found(
      () => set('outcome', other.subarray(0, 8)),
      () => set('outcome', outcome),
    );
    expect(cut).toMatchObject([{ where: 'summaries', from: first + 2, to: first + EVENTS_PER_SUMMARY - 1 }]);
    const timeless = await found(
      () => set('latest', new Date(0)),
      () => set('latest', latest),
    );
    expect(timeless).toMatchObject([{ where: 'summaries', from: first, to: first + EVENTS_PER_SUMMARY - 1 }]);
  });

  it('is found out for removing a summary', async () => {
    const first = 2 * EVENTS_PER_SUMMARY;
    const place = `epoch = 1 AND block = 0 AND first = ${first}`;
    const [row = {}] = await rows.execute(`SELECT * FROM audit.summaries WHERE ${place}`);
    const damage = async (): Promise<void> => {
      await rows.execute(`DELETE FROM audit.summaries WHERE ${place}`);
    };
    const repair = async (): Promise<void> => {
      const names = Object.keys(row);
      const marks = names.map(() => '?').join(', ');
      await rows.execute(`INSERT INTO audit.summaries (${names.join(', ')}) VALUES (${marks})`, Object.values(row));
    };
    expect(await found(damage, repair)).toMatchObject([
      { kind: 'changed', where: 'summaries', from: first, to: first + EVENTS_PER_SUMMARY - 1 },
    ]);
  });

  it('is found out for changing an event with all hashes above it, every checkpoint signed anew by another key', async () => {
    const sequence = 16_390;
    const row = await rows.read(sequence);
    const message = Buffer.concat([(row['message'] as Buffer).subarray(0, -8), Buffer.from('AAAAAAAA')]);
    const [index, at] = [Math.floor(sequence / TILE), (sequence % TILE) * 32];
    const tile = (
      await rows.execute('SELECT hashes FROM audit.tiles WHERE epoch = 1 AND level = 0 AND part = 0 AND tile = ?', [
        index,
      ])
    )[0]?.['hashes'] as Buffer;
    const forged = Buffer.from(tile);
    forged.set(leafHash(message), at);
    const checkpoints = await checkpointRows();
    const forger = noteSigner(origin, generateKeyPairSync('ed25519').privateKey);
    const leaves = (await messagesOf(connection)).with(sequence, message).map(leafHash);
    const rootAt = (known: number): Uint8Array => rootOf(leaves.slice(0, known));
    const damage = async (): Promise<void> => {
      await rows.put({ ...row, message });
      await putTile(index, forged);
      for (const { size: known } of checkpoints)
        await putCheckpoint(
          Number(known),
          signCheckpoint({ origin, size: Number(known), root: rootAt(Number(known)) }, forger),
        );
    };
    const repair = async (): Promise<void> => {
      await rows.put(row);
      await putTile(index, tile);
      for (const { size: known, note } of checkpoints) await putCheckpoint(Number(known), String(note));
    };
    const findings = await found(damage, repair);
    expect(findings).toContainEqual(inKeyspace('changed', sequence));
    expect(findings).toContainEqual(expect.objectContaining({ kind: 'changed', where: 'tree tiles', from: sequence }));
    expect(findings.filter(({ kind }) => kind === 'signature')).toHaveLength(checkpoints.length);
  });

  it('is found out for nothing once all of it is mended', async () => {
    expect(await verify(0)).toEqual([]);
  });
});

describe('someone with a principal’s key', () => {
  it('is found out for signing what names another as its actor', async () => {
    await appendForeign(stack.home, connection, { signer: 'worker', actor: 'operator' });
    await notarized(stack.home.path, connection);
    expect(await verify(0)).toEqual([]);
    const findings = await verify(4, '--signatures');
    expect(findings).toMatchObject([{ kind: 'signature', where: 'audit keyspace' }]);
    expect(findings[0]?.detail).toContain('operator is named as its actor, but worker signed it');
  });
});

describe('an audit topic that was deleted and made again', () => {
  it('stops the notary, and is an undeclared loss', async () => {
    const admin = kafkaClient(connection, 'break-glass').admin();
    await admin.connect();
    await admin.deleteTopics({ topics: [AUDIT_TOPIC] });
    await admin.disconnect();
    await stack.up();
    const { error } = await wardlineOn(stack.home.path, ['notary'], 4);
    expect(error).toMatchObject({ code: 'AUDIT_EPOCH_LOST' });
    expect(await verify(4)).toContainEqual(expect.objectContaining({ kind: 'undeclared loss', epoch: 1 }));
  });

  it('goes on in a new epoch, whose declaration lists the loss', async () => {
    await wardlineOn(stack.home.path, ['notary', '--new-epoch'], 2);
    await notarized(stack.home.path, connection, 2, ['--new-epoch', '--reason', 'the broker lost its disk']);
    const { json } = await wardlineOn(stack.home.path, ['audit', 'verify']);
    expect(json).toMatchObject({ whole: true, epochs: [{ epoch: 1 }, { epoch: 2 }] });
    expect(json['declared_losses']).toMatchObject([{ epoch: 1, declaredIn: 2, reason: 'the broker lost its disk' }]);
    const refused = await wardlineOn(stack.home.path, ['notary', '--new-epoch', '--reason', 'again'], 3);
    expect(refused.error).toMatchObject({ code: 'REFUSED_BY_POLICY' });
  });
});

async function putCheckpoint(at: number, note: string): Promise<void> {
  await rows.execute('INSERT INTO audit.checkpoints (epoch, block, size, note) VALUES (1, ?, ?, ?)', [
    blockOfSequence(at),
    at,
    note,
  ]);
}

async function putTile(index: number, hashes: Buffer): Promise<void> {
  await rows.execute('INSERT INTO audit.tiles (epoch, level, part, tile, hashes) VALUES (1, 0, 0, ?, ?)', [
    index,
    hashes,
  ]);
}
