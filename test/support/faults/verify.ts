import type { types } from 'cassandra-driver';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { leafHash } from '../../../audit/merkle/hash.ts';
import { rootOf } from '../../../audit/merkle/tree.ts';
import { recordDigest } from '../../../security/sealed-field/record.ts';
import { messagesOn } from '../outside.ts';
import { wardlineOn } from '../wardline.ts';
import { hiddenOf, type Ledger, type LedgerFile } from './ledger.ts';
import { coveredBy, type Observer, type Offsets } from './observer.ts';

const POLL_MILLISECONDS = 200;
const PAGE_ROWS = 5000;
/** How many accounts are opened whole by the reader; opening is slow beside counting. */
const ACCOUNTS_OPENED = 2;

/** Resolves when the group has committed everything that stands on the topic; rejects after `milliseconds`. */
export async function whenCommitted(observer: Observer, milliseconds = 120_000): Promise<void> {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const [ends, committed] = [await observer.ends(), await observer.committed()];
    if ([...ends].every(([partition, end]) => end === 0n || committed.get(partition) === end)) return;
    if (Date.now() > deadline) throw new Error(`not committed: ends ${shown(ends)}, committed ${shown(committed)}`);
    await sleep(POLL_MILLISECONDS);
  }
}

/** Fails unless every committed offset has a store window before it: first the commits are looked up, then the events. */
export async function expectCommitsAudited(observer: Observer): Promise<void> {
  const committed = await observer.committed();
  const windows = await observer.windows();
  for (const stage of ['consume', 'store']) {
    const covered = coveredBy(windows, stage);
    for (const [partition, offset] of committed) expect(covered.get(partition) ?? 0n).toBeGreaterThanOrEqual(offset);
  }
}

/**
 * What must hold after any fault once all is committed: each key stored once, with the values of its last write and of no
 * other; every offset in a store window; every window's root fits what stands on the topic; sealed values open.
 */
export async function expectWhole(home: string, observer: Observer, ledger: Ledger, file: LedgerFile): Promise<void> {
  const rows = await allRows(observer, ledger);
  expect(rows.length).toBe(file.last.size);
  const wrong = rows.flatMap((row) => faultsOf(row, file));
  expect(wrong.slice(0, 5)).toEqual([]);

  const [ends, windows] = [await observer.ends(), await observer.windows()];
  for (const stage of ['consume', 'transform', 'store']) {
    const covered = coveredBy(windows, stage);
    for (const [partition, end] of ends)
      expect([stage, partition, covered.get(partition) ?? 0n]).toEqual([stage, partition, end]);
  }
  await expectRoots(observer, ledger);
  await expectOpens(home, ledger, file);
}

/** Each row with the write time of each of its columns: one statement wrote them all, or they differ. */
async function allRows(observer: Observer, ledger: Ledger): Promise<readonly types.Row[]> {
  const columns = ['amount', 'hidden', 'twice', 'wardline_offset', 'wardline_partition', 'wardline_incarnation'];
  const times = columns.map((column) => `writetime(${column}) AS time_${column}`);
  const query = `SELECT account, number, amount, twice, ${times.join(', ')} FROM ${ledger.table}`;
  const rows: types.Row[] = [];
  const found = await observer.cassandra.execute(query, [], { prepare: true, fetchSize: PAGE_ROWS });
  for await (const row of found) rows.push(row);
  return rows;
}

function faultsOf(row: types.Row, file: LedgerFile): string[] {
  const key = `${String(row['account'])}/${String(row['number'])}`;
  const [amount, twice] = [Number(row['amount']), Number(row['twice'])];
  const times = new Set(
    row
      .keys()
      .filter((name) => name.startsWith('time_'))
      .map((name) => String(row[name])),
  );
  return [
    ...(amount === file.last.get(key) ? [] : [`${key} holds ${amount} instead of ${file.last.get(key) ?? 'nothing'}`]),
    ...(twice === amount * 2 ? [] : [`${key} mixes two writes: ${amount} and ${twice}`]),
    ...(times.size === 1 ? [] : [`${key} was written at ${[...times].join(' and ')}`]),
  ];
}

/** The RFC 6962 root of each store and produce window, recomputed from the messages at its places. */
async function expectRoots(observer: Observer, ledger: Ledger): Promise<void> {
  const messages = await messagesOn(observer.kafka, ledger.topic, `wardline.break-glass.roots-${Date.now()}`);
  const leaves = new Map(
    messages.map(({ partition, offset, message }) => [
      `${partition}/${offset}`,
      leafHash(recordDigest(message.key ?? Buffer.alloc(0), message.value ?? Buffer.alloc(0))),
    ]),
  );
  for (const { stage, ranges, root } of await observer.windows()) {
    if (stage !== 'store' && stage !== 'produce') continue;
    const places = ranges.flatMap(({ partition, from, to }) =>
      Array.from({ length: Number(to - from) + 1 }, (_, at) => `${partition}/${from + BigInt(at)}`),
    );
    const found = places.flatMap((place) => leaves.get(place) ?? []);
    expect(found.length).toBe(places.length);
    expect(Buffer.from(rootOf(found)).toString('hex')).toBe(root);
  }
}

async function expectOpens(home: string, ledger: Ledger, file: LedgerFile): Promise<void> {
  for (const account of file.accounts.slice(0, ACCOUNTS_OPENED)) {
    const args = ['read', account, '--contract', ledger.contract, '--purpose', 'check', '--limit', '1000000'];
    const { items } = await wardlineOn(home, args);
    const expected = [...file.last].filter(([key]) => key.startsWith(`${account}/`));
    expect(items.length).toBe(expected.length);
    for (const item of items) {
      const values = (item['values'] ?? item) as Readonly<Record<string, unknown>>;
      expect(Number(values['hidden'])).toBe(hiddenOf(Number(values['amount'])));
    }
  }
}

function shown(offsets: Offsets): string {
  return [...offsets].map(([partition, offset]) => `${partition}:${offset}`).join(' ');
}
