import type { Clock } from '../../core/clock.ts';
import { wipe, type DataKey, type KeyPlace } from './data-key.ts';
import type { SubjectKeys } from './dek-table.ts';

/** What the keyring knows of one subject and class: what the table last said, and the keys unwrapped since. */
export interface CacheEntry {
  readonly place: KeyPlace;
  known: SubjectKeys;
  /** When the table was last asked, in milliseconds since the epoch, counted from before the question. */
  checkedAt: number;
  /** Which of all questions that answer was for: they count up. */
  checkOrder: number;
  readonly keys: Map<string, DataKey>;
  /** Calls that work with this entry now: it is not let go under them. */
  users: number;
}

export interface KeyCache {
  /** Runs `work` with the entry of a place, new where there is none. */
  use<T>(place: KeyPlace, work: (entry: CacheEntry) => Promise<T>): Promise<T>;
  /** Wipes the keys of every entry that was not checked for `milliseconds`. */
  wipeUnchecked(milliseconds: number): void;
  wipeAll(): void;
  readonly size: number;
}

/**
 * A bounded cache, the least recently used entry let go first. Whatever is let go is wiped, so a key that was handed
 * out stays usable only while its entry is here: `limit` MUST exceed the number of subjects that are worked on at once.
 */
export function createKeyCache(limit: number, clock: Clock): KeyCache {
  const entries = new Map<string, CacheEntry>();

  const entryOf = (place: KeyPlace): CacheEntry => {
    const name = JSON.stringify([place.classification, place.contract, place.subject]);
    const entry = entries.get(name) ?? newEntry(place);
    // Set again, so that the map's order is the order of last use.
    entries.delete(name);
    entries.set(name, entry);
    return entry;
  };

  const letGo = (): void => {
    for (const [name, entry] of entries) {
      if (entries.size <= limit) return;
      if (entry.users > 0) continue;
      wipeKeys(entry);
      entries.delete(name);
    }
  };

  return {
    async use(place, work) {
      const entry = entryOf(place);
      entry.users += 1;
      try {
        letGo();
        return await work(entry);
      } finally {
        entry.users -= 1;
      }
    },
    wipeUnchecked(milliseconds) {
      const now = clock.now();
      for (const [name, entry] of entries) {
        const age = now - entry.checkedAt;
        // A clock that went back makes the age negative: that, too, is not known to be young.
        if (age >= 0 && age < milliseconds) continue;
        wipeKeys(entry);
        if (entry.users === 0) entries.delete(name);
      }
    },
    wipeAll() {
      for (const entry of entries.values()) wipeKeys(entry);
      entries.clear();
    },
    get size() {
      return entries.size;
    },
  };
}

/** Wipes the keys of an entry that `keep` does not name. */
export function wipeKeys(entry: CacheEntry, keep: ReadonlySet<string> = new Set()): void {
  for (const [kid, dataKey] of entry.keys) {
    if (keep.has(kid)) continue;
    wipe(dataKey);
    entry.keys.delete(kid);
  }
}

function newEntry(place: KeyPlace): CacheEntry {
  return {
    place: { contract: place.contract, subject: place.subject, classification: place.classification },
    known: { erased: false, rows: [] },
    checkedAt: -Infinity,
    checkOrder: 0,
    keys: new Map(),
    users: 0,
  };
}
