import { leafAt, type BlockCopy } from './block-copy.ts';
import type { CopyName, Finding } from './finding.ts';

/** A stretch of places at which copies do not agree. */
interface Difference {
  readonly from: number;
  to: number;
  /** The leaf hashes of each copy at `from`; of stretches of one place only, unless all are missing in the same copies. */
  readonly leaves: ReadonlyMap<CopyName, string | undefined>;
}

/** Places that are kept one by one; further ones are reported as one stretch. */
const PLACES_KEPT = 10_000;

/** Gathers where copies of a log differ, block by block, and names it once it is known which copy is right. */
export class Differences {
  readonly #found: Difference[] = [];
  #overflow: { from: number; to: number } | undefined;

  /** Compares the first `count` leaves of a block that begins at sequence `start`. */
  compare(blocks: ReadonlyMap<CopyName, BlockCopy>, start: number, count: number): void {
    for (let index = 0; index < count; index += 1) {
      const leaves = new Map(
        [...blocks].map(([name, block]) => [name, leafAt(block, index)?.toString('base64')] as const),
      );
      if (new Set(leaves.values()).size > 1) this.#add(start + index, leaves);
    }
  }

  #add(sequence: number, leaves: Difference['leaves']): void {
    const last = this.#found.at(-1);
    if (last !== undefined && last.to === sequence - 1 && sameHoles(last.leaves, leaves)) {
      last.to = sequence;
      return;
    }
    if (this.#found.length < PLACES_KEPT) this.#found.push({ from: sequence, to: sequence, leaves });
    else this.#overflow = { from: this.#overflow?.from ?? sequence, to: sequence };
  }

  /**
   * What is wrong, given the copy that led to the checkpoints. `size` is that of the largest checkpoint: beyond it a copy
   * may lag behind another.
   */
  findings(epoch: number, right: CopyName, size: number): Finding[] {
    const rightPlaces = new Map(this.#found.map(({ from, leaves }) => [leaves.get(right), from]));
    const findings = this.#found.flatMap((difference) => {
      const expected = difference.leaves.get(right);
      return [...difference.leaves].flatMap(([where, leaf]): Finding[] => {
        if (where === right || leaf === expected) return [];
        const { from } = difference;
        const to = leaf === undefined ? Math.min(difference.to, size - 1) : difference.to;
        if (to < from) return [];
        if (leaf === undefined) return [{ kind: 'missing', epoch, where, from, to, detail: missingDetail(right) }];
        if (expected === undefined)
          return [{ kind: 'added', epoch, where, from, to, detail: `the ${right} has no event there` }];
        const home = rightPlaces.get(leaf);
        if (home !== undefined)
          return [{ kind: 'reordered', epoch, where, from, to, detail: `here stands the event of sequence ${home}` }];
        return [{ kind: 'changed', epoch, where, from, to, detail: `not the event that the ${right} holds` }];
      });
    });
    if (this.#overflow === undefined) return findings;
    const { from, to } = this.#overflow;
    const detail = 'further places in this stretch differ; they are not listed one by one';
    return [...findings, { kind: 'changed', epoch, where: 'audit keyspace', from, to, detail }];
  }
}

/** Stretches are joined only where nothing but holes differs: a changed event is named by itself. */
function sameHoles(a: Difference['leaves'], b: Difference['leaves']): boolean {
  const holes = (leaves: Difference['leaves']): string =>
    [...leaves]
      .filter(([, leaf]) => leaf === undefined)
      .map(([name]) => name)
      .join();
  const rest = (leaves: Difference['leaves']): number =>
    new Set([...leaves.values()].filter((leaf) => leaf !== undefined)).size;
  return holes(a) !== '' && holes(a) === holes(b) && rest(a) === 1 && rest(b) === 1;
}

function missingDetail(right: CopyName): string {
  return `the ${right} holds it, and a checkpoint was signed over it`;
}
