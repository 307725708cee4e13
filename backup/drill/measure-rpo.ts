import { sleep } from '../../core/clock.ts';
import { findChainEnd } from '../archive/chain-end.ts';
import type { ManifestShelf } from '../manifest/stored-manifests.ts';

export interface RpoParts extends ManifestShelf {
  readonly topic: string;
  /** Appends a message and resolves once Kafka has acknowledged it. */
  readonly append: () => Promise<void>;
  /** The offset after the last of each partition. */
  readonly high: () => Promise<ReadonlyMap<number, number>>;
  /** Milliseconds to wait for the archive. */
  readonly patience: number;
}

const POLL_MILLISECONDS = 100;

/**
 * Measures what the loss of both clusters would cost now: the seconds from the acknowledgement of a message until the log
 * archive holds it. Undefined where it did not within the patience.
 */
export async function measureRpo(parts: RpoParts): Promise<number | undefined> {
  const { store, install, trusted, topic, patience } = parts;
  // The end of a long chain takes a while to be found: that is no part of what is measured.
  let { chain } = await findChainEnd(store, install, topic, trusted, undefined);
  await parts.append();
  const acknowledged = performance.now();
  const wanted = await parts.high();
  while (performance.now() - acknowledged < patience) {
    const { sequence, previous } = chain;
    const known = previous === null ? undefined : { sequence: sequence - 1, seal: previous };
    const found = await findChainEnd(store, install, topic, trusted, known);
    const next = new Map(found.ends.map((end) => [end.partition, end.next]));
    if ([...wanted].every(([partition, offset]) => (next.get(partition) ?? 0) >= offset))
      return Math.round((performance.now() - acknowledged) / 100) / 10;
    ({ chain } = found);
    await sleep(POLL_MILLISECONDS);
  }
  return undefined;
}
