import { SENSITIVE_CLASSES, type SensitiveClass } from '../../core/classification.ts';
import type { DekRow, DekTable } from '../../security/keyring/dek-table.ts';
import type { EscrowedKey } from '../../security/keyring/key-escrow.ts';
import { escrowNames } from '../naming.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { ErasedSubject } from './documents.ts';
import type { SubjectEscrow } from './key-escrow.ts';
import { listEscrow, type EscrowEntry } from './listing.ts';

export interface EscrowComparison {
  readonly store: ObjectStore;
  readonly install: string;
  readonly contract: string;
  readonly escrow: SubjectEscrow;
  readonly table: (classification: SensitiveClass) => Pick<DekTable, 'list'>;
}

/** How the escrow of a contract differs from its key tables. */
export interface EscrowDifferences {
  /** Keys that a loss of the tables would lose. */
  readonly missing: readonly EscrowedKey[];
  /** Copies of keys that are destroyed. */
  readonly destroyed: readonly string[];
  /** Copies of keys that never came to be, because another has their place. They open nothing. */
  readonly strays: readonly string[];
  /** Erased subjects whom a loss of the tables would readmit. */
  readonly unmarked: readonly ErasedSubject[];
}

/** What the table says of one subject and class. */
interface Known {
  erased: boolean;
  readonly rows: Map<number, Pick<DekRow, 'kid' | 'state'>>;
}

/**
 * Compares by names alone: nothing is decrypted. A copy without any row of its number is of a key that is being made,
 * and is none of these.
 */
export async function compareEscrow(comparison: EscrowComparison): Promise<EscrowDifferences> {
  const { store, install, contract, escrow, table } = comparison;
  const names = escrowNames(install);
  const listed = new Map<string, EscrowEntry>();
  // First the escrow, then the table: a key that is made meanwhile has its copy before its row.
  for await (const entry of listEscrow(store, names.keys(contract))) listed.set(entry.name, entry);
  const known = new Map<string, Known>();
  const missing: EscrowedKey[] = [];
  const unmarked = new Map<string, ErasedSubject>();
  for (const classification of SENSITIVE_CLASSES) {
    for await (const row of table(classification).list()) {
      const { subject, generation, kid, createdAt, wrapped, state, erased, destroyedAt } = row;
      const tag = escrow.tag(contract, subject);
      const place = placeOf({ classification, tag });
      const about = known.get(place) ?? { erased: false, rows: new Map() };
      known.set(place, about);
      about.erased ||= erased;
      about.rows.set(generation, { kid, state });
      const where = { contract, subject, classification };
      if (erased && !listed.has(names.erased(contract, classification, tag)))
        unmarked.set(place, { ...where, erasedAt: destroyedAt ?? createdAt });
      if (state === 'destroyed' || erased) continue;
      const name = names.key(contract, classification, tag, generation, kid);
      if (!listed.has(name) && (await store.stat(name)) === undefined)
        missing.push({ ...where, generation, kid, createdAt, wrapped });
    }
  }
  const destroyed: string[] = [];
  const strays: string[] = [];
  for (const entry of listed.values()) {
    if (entry.kind !== 'key') continue;
    const about = known.get(placeOf(entry));
    const row = about?.rows.get(entry.generation);
    if (about?.erased === true || (row?.kid === entry.kid && row.state === 'destroyed')) destroyed.push(entry.name);
    else if (row !== undefined && row.kid !== entry.kid) strays.push(entry.name);
  }
  return { missing, destroyed, strays, unmarked: [...unmarked.values()] };
}

/** Makes the escrow say what the tables say. */
export async function repairEscrow(
  { store, escrow }: Pick<EscrowComparison, 'store' | 'escrow'>,
  { missing, destroyed, strays, unmarked }: EscrowDifferences,
): Promise<void> {
  for (const erased of unmarked) await escrow.markErased(erased);
  for (const name of [...destroyed, ...strays]) await store.remove(name);
  for (const key of missing) await escrow.keep(key);
}

function placeOf({ classification, tag }: Pick<EscrowEntry, 'classification' | 'tag'>): string {
  return `${classification} ${tag}`;
}
