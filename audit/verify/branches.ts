import { MerkleAccumulator } from '../merkle/accumulator.ts';
import { agree, leafAt, type BlockCopy } from './block-copy.ts';
import type { CopyName } from './finding.ts';

/** A tree head that a copy, or several that agree, came to. */
export interface BranchHead {
  readonly size: number;
  readonly copies: readonly CopyName[];
  /** Undefined where a leaf was missing. */
  readonly root: Uint8Array | undefined;
}

interface Branch {
  readonly copies: readonly CopyName[];
  readonly tree: MerkleAccumulator;
  /** Whether a leaf was missing: then no root of it means anything. */
  broken: boolean;
}

/**
 * The trees of several copies of one log. As long as the copies agree they are one tree, so that comparing three costs
 * what one costs; where they part, each goes on as a branch of its own.
 */
export class Branches {
  #branches: readonly Branch[];

  constructor(copies: readonly CopyName[], tree: MerkleAccumulator = new MerkleAccumulator()) {
    this.#branches = [{ copies, tree, broken: false }];
  }

  /** Whether all copies agreed so far and none had a hole: then the tree is the same for all. */
  get agreed(): MerkleAccumulator | undefined {
    const [only, ...others] = this.#branches;
    return others.length === 0 && only?.broken === false ? only.tree : undefined;
  }

  /**
   * Appends the next `count` leaves of every copy, and gives the head of each branch at each of `sizes`, which must rise
   * and lie behind the trees' size and not beyond their new one.
   */
  append(blocks: ReadonlyMap<CopyName, BlockCopy>, count: number, sizes: readonly number[]): BranchHead[] {
    this.#branches = this.#branches.flatMap((branch) => part(branch, blocks, count));
    return this.#branches.flatMap((branch) => grow(branch, blocks.get(branch.copies[0] ?? 'topic'), count, sizes));
  }
}

function part(branch: Branch, blocks: ReadonlyMap<CopyName, BlockCopy>, count: number): Branch[] {
  const groups: CopyName[][] = [];
  for (const copy of branch.copies) {
    const block = blocks.get(copy);
    if (block === undefined) continue;
    const group = groups.find(([first]) => {
      const other = first === undefined ? undefined : blocks.get(first);
      return other !== undefined && agree(other, block, count);
    });
    if (group === undefined) groups.push([copy]);
    else group.push(copy);
  }
  if (groups.length === 1) return [{ copies: groups[0] ?? [], tree: branch.tree, broken: branch.broken }];
  return groups.map((copies) => ({ copies, tree: branch.tree.copy(), broken: branch.broken }));
}

function grow(branch: Branch, block: BlockCopy | undefined, count: number, sizes: readonly number[]): BranchHead[] {
  const heads: BranchHead[] = [];
  let start = branch.broken ? undefined : branch.tree.size;
  let next = 0;
  for (let index = 0; index < count && start !== undefined; index += 1) {
    const leaf = block === undefined ? undefined : leafAt(block, index);
    if (leaf === undefined) {
      branch.broken = true;
      start = undefined;
      break;
    }
    branch.tree.append(leaf);
    const size = branch.tree.size;
    if (sizes[next] !== size) continue;
    heads.push({ size, copies: branch.copies, root: branch.tree.root() });
    next += 1;
  }
  for (const size of sizes.slice(next)) heads.push({ size, copies: branch.copies, root: undefined });
  return heads;
}
