import type { KeyPlace } from './data-key.ts';
import type { DekRow } from './dek-table.ts';

/** A data key as it is escrowed: wrapped, and with everything that its row in the table has from the start. */
export interface EscrowedKey extends KeyPlace, Pick<DekRow, 'generation' | 'kid' | 'createdAt' | 'wrapped'> {}

/** Where a copy of each wrapped data key outlasts the table. */
export interface KeyEscrow {
  /** Resolves once the copy is durable. Awaited before the key is stored: where it rejects, the key is not made. */
  keep(key: EscrowedKey): Promise<void>;
  /** Takes back the copy of a key that did not come to be, because another process' key has its place. */
  takeBack(key: EscrowedKey): Promise<void>;
}
