import type { EscrowedKey, KeyEscrow } from '../../../security/keyring/key-escrow.ts';

/** An escrow in memory, by kid. */
export interface MemoryEscrow extends KeyEscrow {
  readonly kept: ReadonlyMap<string, EscrowedKey>;
  /** Kids in the order in which their copies were taken back. */
  readonly takenBack: readonly string[];
}

export function memoryEscrow(): MemoryEscrow {
  const kept = new Map<string, EscrowedKey>();
  const takenBack: string[] = [];
  return {
    kept,
    takenBack,
    async keep(copy) {
      await roundTrip();
      kept.set(copy.kid, copy);
    },
    async takeBack({ kid }) {
      await roundTrip();
      kept.delete(kid);
      takenBack.push(kid);
    },
  };
}

/** A round trip to a store lets other calls in between. */
function roundTrip(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
