import { EVENTS_PER_BLOCK } from '../../security/audit-keyspace/tables.ts';
import type { CassandraWork } from '../../security/connect/cassandra/renewing-cassandra.ts';
import { HASH_BYTES } from '../merkle/hash.ts';
import type { MerkleAccumulator } from '../merkle/accumulator.ts';
import { TILE_WIDTH } from '../merkle/tiles.ts';
import { blockStart } from '../store/blocks.ts';
import { readTile } from '../store/tiles.ts';
import { agree, emptyBlock, setLeaf, type BlockCopy } from './block-copy.ts';
import { Branches, type BranchHead } from './branches.ts';
import { Differences } from './differences.ts';
import type { CopyName, Finding } from './finding.ts';
import type { KnownCheckpoints } from './known-checkpoints.ts';
import type { StoredBlock } from './read-block.ts';

/** Blocks of the keyspace that are read while one is compared. */
const BLOCKS_AHEAD = 2;

/** Where a verification goes on: a tree over blocks that were found whole. */
export interface VerifiedPrefix {
  readonly block: number;
  readonly tree: MerkleAccumulator;
}

export interface EpochToVerify {
  readonly epoch: number;
  readonly cassandra: Pick<CassandraWork, 'execute'>;
  readonly checkpoints: KnownCheckpoints;
  /** Reads a block of the keyspace. */
  readonly readBlock: (block: number) => Promise<StoredBlock>;
  /** The topic's blocks, in order from `from.block` on, and how far the topic goes; undefined where there is no topic any more. */
  readonly topic: { readonly blocks: AsyncGenerator<BlockCopy, void, void>; readonly end: number } | undefined;
  /** The sequence after the last one that the keyspace holds. */
  readonly end: number;
  /** The sequence after the last one that may stand: asked again where a row stands beyond, as the log grows meanwhile. */
  readonly mayReach: () => Promise<number>;
  /** Of an epoch that ended with a declared loss: how many of its events are held. Those beyond are not missed. */
  readonly declaredHeld?: number | undefined;
  readonly from?: VerifiedPrefix | undefined;
  /** Told after each block how many events are done, and where one could go on, if all was well so far. */
  readonly onProgress?: (events: number, prefix: VerifiedPrefix | undefined) => void;
}

export interface VerifiedEpoch {
  readonly epoch: number;
  readonly events: number;
  /** The largest checkpoint, and how many were held against the tree. */
  readonly size: number;
  readonly checkpoints: number;
  readonly findings: readonly Finding[];
}

/**
 * Holds every copy of one epoch against every checkpoint that was signed over it, and the copies against each other.
 * Memory is bounded by a few blocks, the checkpoints' heads and the first differences.
 */
export async function verifyEpoch(options: EpochToVerify): Promise<VerifiedEpoch> {
  const { epoch, checkpoints, topic, from } = options;
  const signed = checkpoints.sizes(epoch).filter((at) => at <= (options.declaredHeld ?? Infinity));
  const size = signed.at(-1) ?? 0;
  const last = Math.max(size, options.end, topic?.end ?? 0);
  const copies: CopyName[] = ['audit keyspace', ...(topic === undefined ? [] : (['topic'] as const)), 'tree tiles'];
  const branches = new Branches(copies, from?.tree);
  const differences = new Differences();
  const findings: Finding[] = [];
  const summaryFindings: Finding[] = [];
  const heads: BranchHead[] = [];
  let events = 0;
  let whole = true;
  const ahead = readAhead(options, last);
  for (let block = from?.block ?? 0; blockStart(block) < last; block += 1) {
    const stored = await ahead(block);
    const fromTopic = await nextOf(topic?.blocks);
    const start = blockStart(block);
    // Beyond what was signed, and beyond what all copies can have, nothing is compared: the notary is still at work.
    const count = Math.min(EVENTS_PER_BLOCK, Math.max(size, Math.min(options.end, topic?.end ?? options.end)) - start);
    const tiles = await tilesOfBlock(options, block, fromTopic ?? stored);
    const blocks = new Map<CopyName, BlockCopy>([
      ['audit keyspace', stored],
      ...(topic === undefined ? [] : ([['topic', fromTopic ?? emptyBlock(EVENTS_PER_BLOCK)]] as const)),
      ['tree tiles', tiles],
    ]);
    findings.push(...stored.faults.map((fault) => rowFinding(epoch, fault)));
    findings.push(...(await addedBeyond(options, stored, start, size)));
    summaryFindings.push(...stored.summaryFaults.flatMap((fault) => summaryFinding(epoch, fault, size)));
    events += stored.events;
    if (count > 0) {
      const [first, ...others] = blocks.values();
      if (first !== undefined && others.some((other) => !agree(first, other, count)))
        differences.compare(blocks, start, count);
      heads.push(
        ...branches.append(
          blocks,
          count,
          signed.filter((at) => at > start && at <= start + count),
        ),
      );
    }
    whole &&= findings.length + summaryFindings.length === 0 && count === EVENTS_PER_BLOCK;
    const tree = branches.agreed;
    options.onProgress?.(events, whole && tree !== undefined ? { block: block + 1, tree: tree.copy() } : undefined);
  }
  const judged = judge(options, heads, size);
  findings.push(...judged.findings, ...differences.findings(epoch, judged.right, size));
  return {
    epoch,
    events,
    size,
    checkpoints: signed.filter((at) => at > blockStart(from?.block ?? 0)).length,
    findings: [...findings, ...summaryFindings.filter((finding) => !isNamed(finding, findings))],
  };
}

/** Gives one block after another; while a block is compared, the next ones are read. */
function readAhead({ readBlock }: EpochToVerify, last: number): (block: number) => Promise<StoredBlock> {
  const reading = new Map<number, Promise<StoredBlock>>();
  return (block) => {
    for (let next = block; next <= block + BLOCKS_AHEAD && (next === block || blockStart(next) < last); next += 1) {
      if (reading.has(next)) continue;
      const stored = readBlock(next);
      // Whoever takes the block gets its error.
      stored.catch(() => undefined);
      reading.set(next, stored);
    }
    const stored = reading.get(block) ?? readBlock(block);
    reading.delete(block);
    return stored;
  };
}

/** Which copy leads to the largest checkpoint, and which checkpoints no copy leads to. */
function judge(
  { epoch, checkpoints, topic }: EpochToVerify,
  heads: readonly BranchHead[],
  size: number,
): { readonly right: CopyName; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  let right: CopyName = topic === undefined ? 'audit keyspace' : 'topic';
  for (const at of new Set(heads.map((head) => head.size))) {
    for (const { root, places } of checkpoints.at(epoch, at)) {
      const leading = heads.filter(
        (head) => head.size === at && head.root !== undefined && Buffer.from(head.root).toString('base64') === root,
      );
      const [copy] = leading.flatMap(({ copies }) => copies).sort((a, b) => RANK[a] - RANK[b]);
      if (copy === undefined) {
        const where = places.join(', ');
        const detail = `no copy of the log leads to the checkpoint of ${at} events that stands there`;
        findings.push({ kind: 'fork', epoch, where, to: at - 1, detail });
      } else if (at === size) right = copy;
    }
  }
  return { right, findings };
}

/** Where several copies lead to a checkpoint, differences are told as seen from the first of these. */
const RANK: Readonly<Record<CopyName, number>> = { topic: 0, 'audit keyspace': 1, 'tree tiles': 2 };

async function nextOf(blocks: AsyncGenerator<BlockCopy, void, void> | undefined): Promise<BlockCopy | undefined> {
  const next = await blocks?.next();
  return next?.done === false ? next.value : undefined;
}

const TILES_PER_BLOCK = EVENTS_PER_BLOCK / TILE_WIDTH;

/** The leaf hashes that the tiles hold of a block; events that fill no tile yet are as another copy has them. */
async function tilesOfBlock(
  { cassandra, epoch, checkpoints }: EpochToVerify,
  block: number,
  other: BlockCopy,
): Promise<BlockCopy> {
  const copy = emptyBlock(EVENTS_PER_BLOCK);
  // Tiles are kept before a checkpoint over them is.
  const full = Math.floor((checkpoints.sizes(epoch).at(-1) ?? 0) / TILE_WIDTH);
  const indexes = Array.from({ length: TILES_PER_BLOCK }, (_, at) => block * TILES_PER_BLOCK + at);
  const tiles = await Promise.all(
    indexes.map((index) => (index < full ? readTile(cassandra, epoch, 0, index) : Promise.resolve(undefined))),
  );
  tiles.forEach((tile, at) => {
    const start = at * TILE_WIDTH;
    const isKept = (indexes[at] ?? 0) < full;
    if (tile?.length === TILE_WIDTH * HASH_BYTES) {
      tile.copy(copy.leaves, start * HASH_BYTES);
      copy.held.fill(1, start, start + TILE_WIDTH);
    } else if (!isKept) {
      for (let index = start; index < start + TILE_WIDTH; index += 1)
        if (other.held[index] === 1)
          setLeaf(copy, index, other.leaves.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES));
    }
  });
  return copy;
}

function rowFinding(epoch: number, { kind, sequence, detail }: StoredBlock['faults'][number]): Finding {
  return { kind, epoch, where: 'audit keyspace', from: sequence, to: sequence, detail };
}

/** Beyond the largest checkpoint the notary may be at work: a summary may come later than its events. */
function summaryFinding(
  epoch: number,
  { from, to, detail }: StoredBlock['summaryFaults'][number],
  size: number,
): Finding[] {
  if (from >= size) return [];
  return [{ kind: 'changed', epoch, where: 'summaries', from, to: Math.min(to, size - 1), detail }];
}

/** Whether an event of the keyspace is itself found to be wrong: no wonder then that its summary says otherwise. */
function isNamed({ from = 0, to = 0 }: Finding, findings: readonly Finding[]): boolean {
  return findings.some(
    (finding) => finding.where === 'audit keyspace' && (finding.from ?? from + 1) <= from && (finding.to ?? 0) >= to,
  );
}

/** Rows at places that no event has come to yet. */
async function addedBeyond(
  { epoch, mayReach }: EpochToVerify,
  { held }: StoredBlock,
  start: number,
  size: number,
): Promise<Finding[]> {
  const last = start + held.lastIndexOf(1);
  if (last < size || last < start) return [];
  const end = Math.max(size, await mayReach());
  const findings: Finding[] = [];
  for (let sequence = Math.max(start, end); sequence <= last; sequence += 1) {
    if (held[sequence - start] !== 1) continue;
    const detail = 'no event ever came to stand there';
    findings.push({ kind: 'added', epoch, where: 'audit keyspace', from: sequence, to: sequence, detail });
  }
  return findings;
}
