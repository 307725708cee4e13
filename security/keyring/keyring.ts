import { randomBytes } from 'node:crypto';
import type { SensitiveClass } from '../../core/classification.ts';
import type { Clock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { createSemaphore } from '../../core/async/semaphore.ts';
import { DATA_KEY_BYTES, keyMemory, KID_BYTES, wipe, type DataKey, type KeyPlace } from './data-key.ts';
import { cassandraDekTable, type CqlExecutor, type DekRow, type DekTable, type Insertion } from './dek-table.ts';
import { createKeyCache, wipeKeys, type CacheEntry } from './key-cache.ts';
import type { EscrowedKey, KeyEscrow } from './key-escrow.ts';
import type { KeyStore } from './key-store/key-store.ts';

/** A key that was not checked against the table for this long is checked before it is handed out again, in milliseconds. */
const LONGEST_REVALIDATION = 5000;
/**
 * A key in use that could not be checked for this long is wiped, so that work already under way may end but no new work
 * begins. With the sweep's interval, a destroyed key is out of every process within 10 s.
 */
const WIPE_AFTER = 7000;
const SWEEP_INTERVAL = 1000;
/** Age from which a generation seals no more. */
const LONGEST_GENERATION_AGE = 90 * 86_400_000;
const MOST_ENTRIES = 50_000;
const TABLE_CALLS_AT_ONCE = 64;
const MADE_AT_ONCE = 256;
/** Attempts at a new generation while other processes make theirs: each attempt finds a higher one, so two do in practice. */
const MOST_ATTEMPTS = 5;

/**
 * The data keys of a process. Every key that it hands out was checked against the table at most 5 s ago; where the table
 * cannot be asked, calls fail and keys run out. Errors: KEY_DESTROYED for an erased subject, KEY_NOT_FOUND, KEY_MISMATCH
 * for a row that was tampered with, CASSANDRA_… where the table cannot be asked.
 */
export interface Keyring {
  /** The key that seals for a place now; made where there is none or the last is too old, once among all processes. */
  current(place: KeyPlace): Promise<DataKey>;
  /** A key of a later generation than `exhaustedKid`, which has made all its seals. */
  next(place: KeyPlace, exhaustedKid: string): Promise<DataKey>;
  /** The key that a sealed field names, of any generation. Makes none. */
  byKid(place: KeyPlace, kid: string): Promise<DataKey>;
  /** Wipes every key. */
  close(): void;
}

/**
 * Told of each key before it is stored, and awaited: where it rejects, the key is not made. Where another process stores
 * a key of that generation first, the announced one never comes to be.
 */
export type AnnounceKey = (key: KeyPlace & { readonly kid: string; readonly generation: number }) => Promise<void>;

export interface KeyringParts {
  readonly table: (contract: string, classification: SensitiveClass) => DekTable;
  readonly keyStore: Pick<KeyStore, 'wrapDek' | 'unwrapDek'>;
  readonly clock: Clock;
  readonly announce: AnnounceKey;
  /** No copy, no key: a key is stored once its copy is durable. */
  readonly escrow: KeyEscrow;
  /** Cryptographically secure random bytes. */
  readonly random: (bytes: number) => Buffer;
  readonly limits?: Partial<KeyringLimits>;
}

interface KeyringLimits {
  /** MUST exceed the number of subjects that are worked on at once. */
  readonly entries: number;
  /** Milliseconds, at most 5,000. */
  readonly revalidate: number;
  /** Milliseconds. */
  readonly generationAge: number;
}

/** The keyring of a process that keeps its DEKs in Cassandra. */
export function openKeyring({
  client,
  keyStore,
  clock,
  announce,
  escrow,
}: Pick<KeyringParts, 'keyStore' | 'clock' | 'announce' | 'escrow'> & { readonly client: CqlExecutor }): Keyring {
  const table = (contract: string, classification: SensitiveClass) =>
    cassandraDekTable(client, contract, classification);
  return createKeyring({ table, keyStore, clock, announce, escrow, random: randomBytes });
}

export function createKeyring({
  table,
  keyStore,
  clock,
  announce,
  escrow,
  random,
  limits = {},
}: KeyringParts): Keyring {
  const revalidate = Math.min(limits.revalidate ?? LONGEST_REVALIDATION, LONGEST_REVALIDATION);
  const generationAge = limits.generationAge ?? LONGEST_GENERATION_AGE;
  const cache = createKeyCache(limits.entries ?? MOST_ENTRIES, clock);
  const calls = createSemaphore(TABLE_CALLS_AT_ONCE);
  const making = createSemaphore(MADE_AT_ONCE);
  const sweep = setInterval(() => cache.wipeUnchecked(WIPE_AFTER), SWEEP_INTERVAL).unref();

  const tableOf = ({ contract, classification }: KeyPlace): DekTable => table(contract, classification);

  /** A batch of many new subjects must not become as many requests at once. */
  const bounded = async <T>(work: () => Promise<T>): Promise<T> => {
    const release = await calls.acquire();
    try {
      return await work();
    } finally {
      release();
    }
  };

  let checks = 0;
  /** Asks the table, and wipes at once what is no longer there. */
  const check = (entry: CacheEntry): Promise<void> =>
    bounded(async () => {
      const order = (checks += 1);
      const asked = clock.now();
      const known = await tableOf(entry.place).readAll(entry.place.subject);
      // An answer that was overtaken by a later question's must not bring back what that one found destroyed.
      if (order < entry.checkOrder) return;
      entry.checkOrder = order;
      entry.known = known;
      entry.checkedAt = asked;
      wipeKeys(entry, new Set(known.erased ? [] : known.rows.filter(isOpenable).map((row) => row.kid)));
    });

  const checkIfOld = async (entry: CacheEntry): Promise<void> => {
    const age = clock.now() - entry.checkedAt;
    if (age < 0 || age >= revalidate) await check(entry);
    if (entry.known.erased) throw erased(entry.place);
  };

  const unwrapped = async (entry: CacheEntry, row: DekRow): Promise<DataKey> => {
    const known = entry.keys.get(row.kid);
    if (known !== undefined) return known;
    const dataKey = await keyStore.unwrapDek(row.wrapped, { ...entry.place, kid: row.kid, generation: row.generation });
    // While it was being unwrapped the subject may have been erased, or another call may have unwrapped the same key.
    const other = entry.keys.get(row.kid);
    if (other !== undefined || !isStillThere(entry, row)) wipe(dataKey);
    if (other !== undefined) return other;
    if (!isStillThere(entry, row)) throw erased(entry.place);
    entry.keys.set(row.kid, dataKey);
    return dataKey;
  };

  const onRecordAndKept = async (copy: EscrowedKey): Promise<void> => {
    const { contract, subject, classification, generation, kid } = copy;
    await announce({ contract, subject, classification, generation, kid });
    await escrow.keep(copy);
  };

  /** Stores a new generation; that another process was faster is as good. */
  const makeGeneration = async (entry: CacheEntry, previous: DekRow | undefined): Promise<void> => {
    const secret = random(DATA_KEY_BYTES);
    const dataKey: DataKey = {
      ...entry.place,
      kid: random(KID_BYTES).toString('base64url'),
      key: keyMemory(secret),
      generation: (previous?.generation ?? 0) + 1,
      createdAt: clock.now(),
    };
    let copy: EscrowedKey;
    let outcome: Insertion;
    try {
      const { subject, generation, kid, createdAt } = dataKey;
      copy = { ...entry.place, generation, kid, createdAt, wrapped: await keyStore.wrapDek(dataKey) };
      // Outside of the calls to the table: while the record or the escrow waits, keys in use go on being checked.
      const release = await making.acquire();
      await onRecordAndKept(copy).finally(release);
      outcome = await bounded(async () => {
        const rows = tableOf(entry.place);
        const inserted = await rows.insertIfAbsent(copy);
        if (previous?.state === 'active') await rows.retire(subject, previous.generation);
        return inserted;
      });
    } finally {
      // What seals is what the table gives back: a key that was not stored never seals.
      wipe(dataKey);
      secret.fill(0);
    }
    await check(entry);
    // An insertion that was sent twice finds itself there: what the table has is kept. A copy that stays behind is of a
    // key that never sealed: `keys check` finds it, and a restore is not misled by it.
    if (outcome !== 'inserted' && !entry.known.rows.some((row) => row.kid === copy.kid))
      await escrow.takeBack(copy).catch(() => undefined);
    if (entry.known.erased) throw erased(entry.place);
  };

  /** The newest generation, if it may seal; otherwise a newer one. */
  const resolve = async (entry: CacheEntry, maySeal: (dataKey: DataKey) => boolean): Promise<DataKey> => {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const newest = entry.known.rows.at(-1);
      if (newest?.state === 'active') {
        const dataKey = await unwrapped(entry, newest);
        if (maySeal(dataKey)) return dataKey;
      }
      await makeGeneration(entry, newest);
    }
    throw new WardlineError('KEY_NOT_FOUND', `no key could be made for ${describe(entry.place)}`, {
      hint: 'see which generations there are: wardline keys list',
    });
  };

  const isYoung = (dataKey: DataKey): boolean => clock.now() - dataKey.createdAt < generationAge;

  /** One resolution at a time for a place: two calls at once would make two generations. */
  const resolving = new Map<CacheEntry, Promise<unknown>>();
  const inTurn = async <T>(entry: CacheEntry, work: () => Promise<T>): Promise<T> => {
    const turn = (resolving.get(entry) ?? Promise.resolve()).then(work, work);
    resolving.set(entry, turn);
    try {
      return await turn;
    } finally {
      if (resolving.get(entry) === turn) resolving.delete(entry);
    }
  };

  return {
    current: (place) =>
      cache.use(place, (entry) =>
        inTurn(entry, async () => {
          await checkIfOld(entry);
          return resolve(entry, isYoung);
        }),
      ),
    next: (place, exhaustedKid) =>
      cache.use(place, (entry) =>
        inTurn(entry, async () => {
          await check(entry);
          if (entry.known.erased) throw erased(place);
          return resolve(entry, (dataKey) => isYoung(dataKey) && dataKey.kid !== exhaustedKid);
        }),
      ),
    byKid: (place, kid) =>
      cache.use(place, async (entry) => {
        await checkIfOld(entry);
        // A generation may have been made since the last check.
        if (!entry.known.rows.some((row) => row.kid === kid)) await check(entry);
        const row = entry.known.rows.find((candidate) => candidate.kid === kid);
        if (row === undefined) throw notFound(place, kid);
        if (entry.known.erased || !isOpenable(row)) throw erased(place);
        return unwrapped(entry, row);
      }),
    close() {
      clearInterval(sweep);
      cache.wipeAll();
    },
  };
}

function isOpenable(row: DekRow): boolean {
  return row.state !== 'destroyed';
}

function isStillThere(entry: CacheEntry, row: DekRow): boolean {
  return !entry.known.erased && entry.known.rows.some((known) => known.kid === row.kid && isOpenable(known));
}

/** Without the subject itself: who a record is about does not belong into logs. */
function describe({ contract, classification }: KeyPlace): string {
  return `a data subject of contract ${contract}, class ${classification}`;
}

function erased(place: KeyPlace): WardlineError {
  return new WardlineError('KEY_DESTROYED', `the keys of ${describe(place)} are destroyed`, {
    hint: 'what was sealed under them cannot be opened by anyone; new data of this subject is refused until it is readmitted',
  });
}

function notFound(place: KeyPlace, kid: string): WardlineError {
  return new WardlineError('KEY_NOT_FOUND', `there is no key ${kid} for ${describe(place)}`, {
    hint: 'see which keys there are: wardline keys list',
  });
}
