import { createContextKey, type Context } from '@opentelemetry/api';
import type { EventStatement } from '../audit/event.ts';
import { MerkleAccumulator } from '../audit/merkle/accumulator.ts';
import { stageWindowStatement, type RecordRange } from '../audit/window.ts';
import type { StageFacts, StageName } from './facts.ts';

/** Stages whose work a rejected record did not reach the end of: their ranges and root leave it out. */
const ONLY_ACCEPTED: ReadonlySet<StageName> = new Set(['transform', 'store']);

/** What a window of one process collected: the unit of audit, and of commit. */
export interface Window {
  record(stage: StageName, facts: StageFacts): void;
  /** Notes the trace that the window's first work belongs to. */
  trace(traceId: string | undefined): void;
  /**
   * Notes records of one partition that stand at `firstOffset` and the offsets after it, with their digests in that
   * order; `rejected` are the offsets of those that became dead letters.
   */
  include(partition: number, firstOffset: bigint, digests: readonly Uint8Array[], rejected?: readonly bigint[]): void;
  readonly records: number;
  readonly rejected: number;
  /** First offset not covered, by partition: where a consumer goes on after this window. */
  nextOffsets(): ReadonlyMap<number, bigint>;
  /** One event a stage that did anything. */
  statements(about: WindowAbout): readonly EventStatement[];
}

/** What every event of a window says beside its facts. */
export interface WindowAbout {
  readonly topic: string;
  readonly contract: { readonly id: string; readonly version: string; readonly hash: string };
  /** Incarnation of each partition, where it is known. */
  readonly incarnations?: ReadonlyMap<number, string>;
  /** Tells windows of one process and of its restarts apart. */
  readonly attempt: string;
}

interface Leaf {
  readonly partition: number;
  readonly offset: bigint;
  readonly digest: Uint8Array;
  readonly rejected: boolean;
}

export function createWindow(): Window {
  const stages = new Map<StageName, { counts: Record<string, number>; keyIds: Set<string> }>();
  const leaves: Leaf[] = [];
  const next = new Map<number, bigint>();
  let rejectedCount = 0;
  let firstTraceId: string | undefined;
  return {
    record(name, facts) {
      const known = stages.get(name) ?? { counts: {}, keyIds: new Set<string>() };
      stages.set(name, known);
      for (const [count, value] of Object.entries(facts.counts))
        known.counts[count] = (known.counts[count] ?? 0) + value;
      for (const keyId of facts.keyIds ?? []) known.keyIds.add(keyId);
    },
    trace(traceId) {
      firstTraceId ??= traceId;
    },
    include(partition, firstOffset, digests, rejected = []) {
      const left = new Set(rejected);
      let offset = firstOffset;
      for (const digest of digests) {
        leaves.push({ partition, offset, digest, rejected: left.has(offset) });
        offset += 1n;
      }
      rejectedCount += left.size;
      if (offset > (next.get(partition) ?? 0n)) next.set(partition, offset);
    },
    get records() {
      return leaves.length;
    },
    get rejected() {
      return rejectedCount;
    },
    nextOffsets: () => next,
    statements(about) {
      // By partition, then offset: whoever holds the topic can put the leaves into the same order again.
      leaves.sort((a, b) => a.partition - b.partition || (a.offset < b.offset ? -1 : 1));
      const all = coverOf(leaves, about);
      const accepted = leaves.some((leaf) => leaf.rejected)
        ? coverOf(
            leaves.filter((leaf) => !leaf.rejected),
            about,
          )
        : all;
      return [...stages].map(([name, { counts, keyIds }]) =>
        stageWindowStatement({
          stage: name,
          object: { type: 'topic', id: about.topic },
          counts,
          ...(ONLY_ACCEPTED.has(name) ? accepted : all),
          keyIds,
          attempt: about.attempt,
          contract: { id: about.contract.id, version: about.contract.version, hash: about.contract.hash },
          traceId: firstTraceId,
        }),
      );
    },
  };
}

/** The ranges that leaves cover, and the tree over them; the root is computed once however many stages state it. */
function coverOf(
  leaves: readonly Leaf[],
  about: WindowAbout,
): { ranges: readonly RecordRange[]; tree: { size: number; root(): Uint8Array } } {
  const accumulator = new MerkleAccumulator();
  const ranges: { partition: number; from: bigint; to: bigint; incarnation: string | undefined }[] = [];
  for (const { partition, offset, digest } of leaves) {
    accumulator.appendDigest(digest);
    const last = ranges.at(-1);
    if (last?.partition === partition && last.to + 1n === offset) last.to = offset;
    else ranges.push({ partition, from: offset, to: offset, incarnation: about.incarnations?.get(partition) });
  }
  const root = accumulator.root();
  return { ranges, tree: { size: leaves.length, root: () => root } };
}

const WINDOW = createContextKey('wardline window');

/** A context whose stages leave their facts in `window`. */
export function withWindow(context: Context, window: Window): Context {
  return context.setValue(WINDOW, window);
}

/** The window that a context's work belongs to. */
export function windowOf(context: Context): Window | undefined {
  return context.getValue(WINDOW) as Window | undefined;
}
