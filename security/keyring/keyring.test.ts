import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WardlineError } from '../../core/errors/errors.ts';
import { codeOfAsync } from '../../test/support/failure.ts';
import { memoryEscrow } from '../../test/support/backup/memory-escrow.ts';
import { memoryDekTable, type MemoryDekTable } from '../../test/support/memory-dek-table.ts';
import { isWiped } from './data-key.ts';
import { createKeyring, type Keyring, type KeyringParts } from './keyring.ts';
import { unwrapDataKey, wrapDataKey, type Kek } from './wrapped-key.ts';

const place = { contract: 'smart-home', subject: 'home-0001', classification: 'personal' } as const;
const START = Date.parse('2026-03-01T00:00:00Z');
const DAY = 86_400_000;

let table: MemoryDekTable;
let kek: Kek;
const open: Keyring[] = [];

beforeEach(async () => {
  // Only what the keyring sees of time: the stand-in's round trips go on by themselves.
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'], now: START });
  table = memoryDekTable();
  const key = await crypto.subtle.importKey('raw', new Uint8Array(randomBytes(32)), 'AES-KW', false, [
    'wrapKey',
    'unwrapKey',
  ]);
  kek = { kid: 'kek', key };
});

afterEach(() => {
  for (const keyring of open.splice(0)) keyring.close();
  vi.useRealTimers();
});

function keyring(different: Partial<KeyringParts> = {}): Keyring {
  const made = createKeyring({
    table: () => table,
    keyStore: {
      wrapDek: (dataKey) => wrapDataKey(dataKey, kek),
      unwrapDek: (wrapped, expected) => unwrapDataKey(wrapped, kek, expected),
    },
    clock: { now: () => Date.now() },
    random: randomBytes,
    announce: () => Promise.resolve(),
    escrow: memoryEscrow(),
    ...different,
  });
  open.push(made);
  return made;
}

describe('the current key', () => {
  it('is made once, however many ask, in one process or in several', async () => {
    const processes = [keyring(), keyring(), keyring()];
    const keys = await Promise.all([...processes, ...processes].map((process) => process.current(place)));
    expect(new Set(keys.map((key) => key.kid)).size).toBe(1);
    expect(new Set(keys.map((key) => key.key.toString('hex'))).size).toBe(1);
    expect((await table.readAll(place.subject)).rows).toHaveLength(1);
    expect(keys[0]).toMatchObject({ ...place, generation: 1, createdAt: START });
    expect(keys[0]?.key).toHaveLength(32);
  });

  it('is announced before it is stored, and is not made where the announcement fails', async () => {
    const announced: { readonly kid: string; readonly stored: number }[] = [];
    let refuse = true;
    const process = keyring({
      announce: async ({ kid }) => {
        if (refuse) throw new WardlineError('AUDIT_UNAVAILABLE', 'no log');
        announced.push({ kid, stored: (await table.readAll(place.subject)).rows.length });
      },
    });
    expect(await codeOfAsync(() => process.current(place))).toBe('AUDIT_UNAVAILABLE');
    expect((await table.readAll(place.subject)).rows).toEqual([]);
    refuse = false;
    const { kid } = await process.current(place);
    expect(announced).toEqual([{ kid, stored: 0 }]);
    await process.current(place);
    expect(announced).toHaveLength(1);
  });

  it('is escrowed after it is announced and before it is stored, and is not made where that fails', async () => {
    const escrow = memoryEscrow();
    const order: string[] = [];
    let refuse = true;
    const process = keyring({
      announce: ({ kid }) => Promise.resolve(void order.push(`announce ${kid}`)),
      escrow: {
        ...escrow,
        async keep(copy) {
          if (refuse) throw new WardlineError('STORE_UNREACHABLE', 'no store');
          order.push(`keep ${copy.kid} ${(await table.readAll(place.subject)).rows.length}`);
          await escrow.keep(copy);
        },
      },
    });
    expect(await codeOfAsync(() => process.current(place))).toBe('STORE_UNREACHABLE');
    expect((await table.readAll(place.subject)).rows).toEqual([]);
    refuse = false;
    const { kid } = await process.current(place);
    expect(order.slice(1)).toEqual([`announce ${kid}`, `keep ${kid} 0`]);
    const { rows } = await table.readAll(place.subject);
    const { wrapped, createdAt, generation } = rows[0] ?? {};
    expect([...escrow.kept.values()]).toEqual([{ ...place, kid, wrapped, createdAt, generation }]);
  });

  it('of another process leaves no copy of the one that was not made', async () => {
    const escrow = memoryEscrow();
    const processes = Array.from({ length: 5 }, () => keyring({ escrow }));
    const [key] = await Promise.all(processes.map((process) => process.current(place)));
    expect([...escrow.kept.keys()]).toEqual([key?.kid]);
    expect(escrow.takenBack.length).toBeGreaterThan(0);
  });

  it('keeps its copy where its own insertion, sent twice, finds itself', async () => {
    const escrow = memoryEscrow();
    const process = keyring({
      escrow,
      table: () => ({
        ...table,
        async insertIfAbsent(row) {
          await table.insertIfAbsent(row);
          return table.insertIfAbsent(row);
        },
      }),
    });
    const { kid } = await process.current(place);
    expect([...escrow.kept.keys()]).toEqual([kid]);
  });

  it('comes whether or not the copy of one that was not made can be taken back', async () => {
    const escrow = {
      ...memoryEscrow(),
      takeBack: () => Promise.reject(new WardlineError('STORE_UNREACHABLE', 'no store')),
    };
    const keys = await Promise.all([keyring({ escrow }), keyring({ escrow })].map((process) => process.current(place)));
    expect(new Set(keys.map((key) => key.kid)).size).toBe(1);
  });

  it('leaves no copy where the subject was erased while it was being made', async () => {
    const escrow = memoryEscrow();
    const process = keyring({
      escrow: {
        ...escrow,
        async keep(copy) {
          await escrow.keep(copy);
          await table.destroy(place.subject, START);
        },
      },
    });
    expect(await codeOfAsync(() => process.current(place))).toBe('KEY_DESTROYED');
    expect(escrow.kept.size).toBe(0);
  });

  it('differs by subject', async () => {
    const process = keyring();
    const [one, other] = await Promise.all([
      process.current(place),
      process.current({ ...place, subject: 'home-0002' }),
    ]);
    expect(one.key.equals(other.key)).toBe(false);
  });

  it('is checked against the table once in five seconds, not at each call', async () => {
    const process = keyring();
    const first = await process.current(place);
    const reads = table.reads();
    vi.setSystemTime(START + 4999);
    expect(await process.current(place)).toBe(first);
    expect(table.reads()).toBe(reads);
    vi.setSystemTime(START + 5000);
    expect(await process.current(place)).toBe(first);
    expect(table.reads()).toBe(reads + 1);
  });

  it('is of a new generation by age; the old one is retired and still opens', async () => {
    const process = keyring();
    const old = await process.current(place);
    const { kid } = old;
    vi.setSystemTime(START + 90 * DAY);
    const fresh = await process.current(place);
    expect(fresh.generation).toBe(2);
    expect((await table.readAll(place.subject)).rows.map((row) => row.state)).toEqual(['retired', 'active']);
    expect((await process.byKid(place, kid)).generation).toBe(1);
  });

  it('is of a new generation after the last seal, and of one only where two processes ask', async () => {
    const [one, two] = [keyring(), keyring()];
    const { kid } = await one.current(place);
    const keys = await Promise.all([one.next(place, kid), two.next(place, kid), one.next(place, kid)]);
    expect(new Set(keys.map((key) => key.generation))).toEqual(new Set([2]));
    expect((await two.current(place)).generation).toBe(2);
  });

  it('is refused where its row was put there from another subject', async () => {
    const process = keyring();
    await process.current({ ...place, subject: 'home-0002' });
    await process.current(place);
    const [foreign] = (await table.readAll('home-0002')).rows;
    table.tamper(place.subject, 1, { kid: foreign?.kid ?? '', wrapped: foreign?.wrapped ?? '' });
    expect(await codeOfAsync(() => keyring().current(place))).toBe('KEY_MISMATCH');
  });
});

describe('a destroyed key', () => {
  it('is wiped at the next check, and refused from then on, for sealing and for opening', async () => {
    const process = keyring();
    const dataKey = await process.current(place);
    await table.destroy(place.subject, Date.now());
    vi.setSystemTime(START + 5000);
    expect(await codeOfAsync(() => process.current(place))).toBe('KEY_DESTROYED');
    expect(isWiped(dataKey)).toBe(true);
    expect(await codeOfAsync(() => process.byKid(place, dataKey.kid))).toBe('KEY_DESTROYED');
    expect(await codeOfAsync(() => process.next(place, dataKey.kid))).toBe('KEY_DESTROYED');
    expect(await codeOfAsync(() => keyring().current(place))).toBe('KEY_DESTROYED');
  });

  it('is wiped within ten seconds in a process that never asks again', async () => {
    const dataKey = await keyring().current(place);
    await table.destroy(place.subject, Date.now());
    vi.advanceTimersByTime(9999);
    expect(isWiped(dataKey)).toBe(true);
  });

  it('leaves the keys of others alone', async () => {
    const process = keyring();
    await process.current(place);
    const other = await process.current({ ...place, subject: 'home-0002' });
    await table.destroy(place.subject, Date.now());
    vi.setSystemTime(START + 5000);
    expect(await process.current({ ...place, subject: 'home-0002' })).toBe(other);
    expect(isWiped(other)).toBe(false);
  });

  it('is not made again until the subject is readmitted, and then with a new number', async () => {
    const process = keyring();
    const { kid } = await process.current(place);
    await table.destroy(place.subject, Date.now());
    await table.readmit(place.subject);
    vi.setSystemTime(START + 5000);
    expect((await process.current(place)).generation).toBe(2);
    expect(await codeOfAsync(() => process.byKid(place, kid))).toBe('KEY_DESTROYED');
  });

  it('does not come back by an answer of the table that was overtaken', async () => {
    const slow = Promise.withResolvers<undefined>();
    let delay: Promise<undefined> | undefined;
    const process = keyring({
      table: () => ({
        ...table,
        readAll: async (subject) => {
          const answer = await table.readAll(subject);
          const wait = delay;
          delay = undefined;
          await wait;
          return answer;
        },
      }),
    });
    const { kid } = await process.current(place);
    vi.setSystemTime(START + 5000);
    delay = slow.promise;
    const overtaken = codeOfAsync(() => process.byKid(place, kid));
    await vi.waitFor(() => expect(delay).toBeUndefined());
    await table.destroy(place.subject, Date.now());
    expect(await codeOfAsync(() => process.byKid(place, kid))).toBe('KEY_DESTROYED');
    slow.resolve(undefined);
    expect(await overtaken).toBe('KEY_DESTROYED');
    expect(await codeOfAsync(() => process.current(place))).toBe('KEY_DESTROYED');
  });

  it('is refused to a call that was unwrapping it meanwhile', async () => {
    await keyring().current(place);
    const process = keyring({
      keyStore: {
        wrapDek: (dataKey) => wrapDataKey(dataKey, kek),
        unwrapDek: async (wrapped, expected) => {
          const dataKey = await unwrapDataKey(wrapped, kek, expected);
          await table.destroy(place.subject, Date.now());
          vi.setSystemTime(Date.now() + 5000);
          // The check that another call makes while this one is here.
          expect(await codeOfAsync(() => process.byKid(place, 'another'))).toBe('KEY_DESTROYED');
          return dataKey;
        },
      },
    });
    expect(await codeOfAsync(() => process.current(place))).toBe('KEY_DESTROYED');
  });
});

describe('while the table cannot be asked', () => {
  it('keys are handed out for five seconds, and not longer', async () => {
    const process = keyring();
    const dataKey = await process.current(place);
    table.failWith(new WardlineError('CASSANDRA_UNREACHABLE', 'gone'));
    vi.setSystemTime(START + 4999);
    expect(await process.current(place)).toBe(dataKey);
    expect(await process.byKid(place, dataKey.kid)).toBe(dataKey);
    vi.setSystemTime(START + 5000);
    expect(await codeOfAsync(() => process.current(place))).toBe('CASSANDRA_UNREACHABLE');
    expect(await codeOfAsync(() => process.byKid(place, dataKey.kid))).toBe('CASSANDRA_UNREACHABLE');
  });

  it('keys in use are wiped within ten seconds, and come back with the table', async () => {
    const process = keyring();
    const dataKey = await process.current(place);
    const { kid } = dataKey;
    table.failWith(new WardlineError('CASSANDRA_UNREACHABLE', 'gone'));
    vi.advanceTimersByTime(9999);
    expect(isWiped(dataKey)).toBe(true);
    table.failWith(undefined);
    const again = await process.current(place);
    expect(again.kid).toBe(kid);
    expect(isWiped(again)).toBe(false);
  });

  it('a clock that goes back makes no key younger', async () => {
    const process = keyring();
    await process.current(place);
    table.failWith(new WardlineError('CASSANDRA_UNREACHABLE', 'gone'));
    vi.setSystemTime(START - 1000);
    expect(await codeOfAsync(() => process.current(place))).toBe('CASSANDRA_UNREACHABLE');
  });
});

describe('bounds', () => {
  it('keeps the keys used last, and wipes what it lets go', async () => {
    const process = keyring({ limits: { entries: 2 } });
    const keys = [];
    for (const subject of ['a', 'b', 'a', 'c']) keys.push(await process.current({ ...place, subject }));
    expect(keys.map(isWiped)).toEqual([false, true, false, false]);
  });

  it('never revalidates later than five seconds, whatever it is told', async () => {
    const process = keyring({ limits: { revalidate: 60_000 } });
    await process.current(place);
    const reads = table.reads();
    vi.setSystemTime(START + 5000);
    await process.current(place);
    expect(table.reads()).toBe(reads + 1);
  });

  it('wipes everything when it is closed', async () => {
    const process = keyring();
    const dataKey = await process.current(place);
    process.close();
    expect(isWiped(dataKey)).toBe(true);
  });

  it('finds no key that was never made', async () => {
    expect(await codeOfAsync(() => keyring().byKid(place, 'A'.repeat(24)))).toBe('KEY_NOT_FOUND');
    expect((await table.readAll(place.subject)).rows).toEqual([]);
  });
});
