import { forEachOf } from '../../core/async/for-each.ts';
import type { SensitiveClass } from '../../core/classification.ts';
import { asWardlineError, WardlineError, type ErrorCode } from '../../core/errors/errors.ts';
import type { DekTable } from '../../security/keyring/dek-table.ts';
import type { EscrowedKey } from '../../security/keyring/key-escrow.ts';
import type { KeyStore } from '../../security/keyring/key-store/key-store.ts';
import { wipe, type KeyPlace } from '../../security/keyring/data-key.ts';
import { escrowNames } from '../naming.ts';
import { readObject, type ObjectStore } from '../objects/object-store.ts';
import { decryptBytes } from '../recipients/age-file.ts';
import { parseErased, parseKey } from './documents.ts';
import { createKeyEscrow, type SubjectEscrow } from './key-escrow.ts';
import { listEscrow, type EscrowEntry } from './listing.ts';

const SUBJECTS_AT_ONCE = 32;
const MOST_OBJECT_BYTES = 1024 * 1024;

export interface RestoreKeysParts {
  readonly store: ObjectStore;
  readonly install: string;
  /** Private halves of recovery identities, `readIdentities`. */
  readonly identities: readonly string[];
  /** To whom what has to be escrowed anew is encrypted. */
  readonly recipients: () => readonly string[];
  /** The key tables, which are there, with the rights of `source` or of `operator`. */
  readonly table: (contract: string, classification: SensitiveClass) => DekTable;
  /** The source's: it names subjects, and wraps a key anew where that is needed. */
  readonly keyStore: Pick<KeyStore, 'integrityKey' | 'wrapDek' | 'unwrapDek'>;
  /** Of one contract; of all unless told. */
  readonly contract?: string | undefined;
}

export interface RestoredKeys {
  /** Keys stored in a table that lacked them. */
  readonly restored: number;
  /** Keys that the table had. */
  readonly present: number;
  /** Subjects, counted once in each class, that are erased: none of their keys was stored. */
  readonly erased: number;
  /** What could not be restored, and why. */
  readonly failed: readonly { readonly object: string; readonly code: ErrorCode }[];
}

/**
 * Stores in the key tables what they lack of all escrowed keys, after a loss of Cassandra. Nothing that a table has is
 * replaced; a subject that is erased, there or here, stays so. Of two keys of one generation, of which at most one was
 * ever in a table, both are stored, one under a new number, so that whatever either sealed opens. Safe to call again
 * after a failure at any point, and beside writers. One object that cannot be read does not keep the others: see `failed`.
 */
export async function restoreKeys(parts: RestoreKeysParts): Promise<RestoredKeys> {
  const { store, install, contract, keyStore } = parts;
  const escrow = createKeyEscrow({ ...parts, integrityKey: (id) => keyStore.integrityKey(id) });
  const total: Total = { restored: 0, present: 0, erased: 0, failed: [] };
  const subjects = bySubject(listEscrow(store, escrowNames(install).keys(contract)));
  await forEachOf(subjects, SUBJECTS_AT_ONCE, (entries) => restoreSubject(entries, parts, escrow, total));
  return total;
}

interface Total extends RestoredKeys {
  restored: number;
  present: number;
  erased: number;
  readonly failed: { readonly object: string; readonly code: ErrorCode }[];
}

/** The entries of one contract, subject and class together: their names begin alike, and the listing is in order of names. */
async function* bySubject(entries: AsyncIterable<EscrowEntry>): AsyncGenerator<readonly EscrowEntry[]> {
  let group: EscrowEntry[] = [];
  const placeOf = ({ name, tag }: EscrowEntry): string => name.slice(0, name.lastIndexOf('/') + 1 + tag.length);
  for await (const entry of entries) {
    const [first] = group;
    if (first !== undefined && placeOf(first) !== placeOf(entry)) {
      yield group;
      group = [];
    }
    group.push(entry);
  }
  if (group.length > 0) yield group;
}

async function restoreSubject(
  entries: readonly EscrowEntry[],
  parts: RestoreKeysParts,
  escrow: SubjectEscrow,
  total: Total,
): Promise<void> {
  const mark = entries.find(({ kind }) => kind === 'erased');
  if (mark !== undefined) {
    const erased = await opened(mark, parts, total, (bytes) => {
      const read = parseErased(bytes, mark.name, (id) => parts.keyStore.integrityKey(id));
      requirePlace(escrow, mark, read);
      return read;
    });
    // A statement that cannot be read counts as one: what it may state cannot be undone by restoring keys.
    if (erased === undefined) return;
    await parts.table(erased.contract, erased.classification).destroy(erased.subject, erased.erasedAt);
    total.erased += 1;
    return;
  }
  const keys: EscrowedKey[] = [];
  for (const entry of entries) {
    const key = await opened(entry, parts, total, (bytes) => {
      const read = parseKey(bytes, entry.name);
      requirePlace(escrow, entry, read);
      return read;
    });
    if (key !== undefined) keys.push(key);
  }
  const [first] = keys;
  if (first === undefined) return;
  await storeKeys(keys, parts.table(first.contract, first.classification), parts, escrow, total);
}

/** All keys are of one subject and class, the oldest generation first. */
async function storeKeys(
  keys: readonly EscrowedKey[],
  table: DekTable,
  parts: RestoreKeysParts,
  escrow: SubjectEscrow,
  total: Total,
): Promise<void> {
  const subject = keys[0]?.subject ?? '';
  const known = await table.readAll(subject);
  if (known.erased) {
    total.erased += 1;
    return;
  }
  const kids = new Set(known.rows.map(({ kid }) => kid));
  const lacking = keys.filter(({ kid }) => !kids.has(kid));
  total.present += keys.length - lacking.length;
  const displaced: EscrowedKey[] = [];
  for (const key of lacking) {
    const outcome = await table.insertIfAbsent(key);
    if (outcome === 'exists') displaced.push(key);
    else if (outcome === 'inserted') total.restored += 1;
  }
  for (const key of displaced) await storeUnderNewNumber(key, table, parts, escrow, total);
  // The newest alone may seal; where it came to its number here, a new one is made at the next use.
  const { rows } = await table.readAll(subject);
  const newest = displaced.length > 0 ? undefined : rows.at(-1)?.generation;
  for (const { generation, state } of rows)
    if (state === 'active' && generation !== newest) await table.retire(subject, generation);
}

async function storeUnderNewNumber(
  key: EscrowedKey,
  table: DekTable,
  { keyStore }: RestoreKeysParts,
  escrow: SubjectEscrow,
  total: Total,
): Promise<void> {
  const { rows } = await table.readAll(key.subject);
  if (rows.some(({ kid }) => kid === key.kid)) return;
  const generation = (rows.at(-1)?.generation ?? 0) + 1;
  const dataKey = await keyStore.unwrapDek(key.wrapped, key);
  try {
    const moved = { ...key, generation, wrapped: await keyStore.wrapDek({ ...dataKey, generation }) };
    await escrow.keep(moved);
    if ((await table.insertIfAbsent(moved)) !== 'inserted')
      throw new WardlineError('BACKUP_BUSY', 'keys of one subject are being made while they are restored', {
        hint: 'run it again',
      });
    await escrow.takeBack(key);
    total.restored += 1;
  } finally {
    wipe(dataKey);
  }
}

/** An object's content, or undefined where it cannot be read or is not what its name says: that is counted, not thrown. */
async function opened<T>(
  { name }: EscrowEntry,
  { store, identities }: RestoreKeysParts,
  total: Total,
  read: (bytes: Buffer) => T,
): Promise<T | undefined> {
  try {
    return read(await decryptBytes(identities, await readObject(store, name, MOST_OBJECT_BYTES)));
  } catch (error) {
    const { code } = asWardlineError(error);
    if (!UNREADABLE.includes(code)) throw error;
    total.failed.push({ object: name, code });
    return undefined;
  }
}

/** What concerns one object alone. An object that is gone by now was removed with its key. */
const UNREADABLE: readonly ErrorCode[] = ['OBJECT_DAMAGED', 'IDENTITY_WRONG', 'OBJECT_NOT_FOUND'];

/** Somebody may have put an object under another's name. */
function requirePlace(
  escrow: SubjectEscrow,
  entry: EscrowEntry,
  held: KeyPlace & { readonly generation?: number; readonly kid?: string },
): void {
  const fits =
    escrow.tag(held.contract, held.subject) === entry.tag &&
    held.classification === entry.classification &&
    (entry.kind === 'erased' || (held.generation === entry.generation && held.kid === entry.kid));
  if (!fits) throw new WardlineError('OBJECT_DAMAGED', `${entry.name} holds what belongs under another name`);
}
