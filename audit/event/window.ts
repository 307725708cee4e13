import { canonicalJson } from '../../core/encoding/canonical-json.ts';
import type { AuditAction } from './actions.ts';
import type { EventStatement } from './event.ts';
import { MerkleAccumulator } from '../merkle/accumulator.ts';
import { leafHash } from '../merkle/hash.ts';

/** More key ids than this are stated as their number and a root over them, so that an event stays within its limit. */
export const MOST_KEY_IDS = 256;

export type StageName = Extract<AuditAction, `stage.${string}`> extends `stage.${infer Name}` ? Name : never;

/** Records `from` to `to`, both included: offsets of a topic's partition, or positions in a source. */
export interface RecordRange {
  readonly partition: number;
  readonly from: bigint | number;
  readonly to: bigint | number;
  /** Which life of the partition the offsets count in, where it is known. */
  readonly incarnation?: string | undefined;
}

/** What one stage did with one window of records. */
export interface StageWindow {
  readonly stage: StageName;
  /** Where the records stand: `{ type: 'topic', id: 'readings' }`, `{ type: 'source', id: 'csv' }`. */
  readonly object: EventStatement['object'];
  readonly outcome?: EventStatement['outcome'];
  readonly code?: string | undefined;
  readonly counts: Readonly<Record<string, number>>;
  readonly ranges: readonly RecordRange[];
  /** `kid`s of the keys that were used; order and repetition do not matter. */
  readonly keyIds?: Iterable<string>;
  /** Tells windows of one process from those of its restarts, which may cover the same ranges. */
  readonly attempt: string;
  /** The tree over the records' digests, in the order of the ranges. */
  readonly tree?: { readonly size: number; root(): Uint8Array };
  readonly contract?: EventStatement['contract'];
  readonly traceId?: string | undefined;
  readonly spanId?: string | undefined;
}

/**
 * States a window: counts, ranges, key ids and the RFC 6962 root over the records' digests, never a record.
 * The identity is stage, object, ranges with their incarnations, and attempt: sent twice, it is recognised as one event.
 */
export function stageWindowStatement(window: StageWindow): EventStatement {
  const { stage, object, ranges, attempt, tree, keyIds } = window;
  const stated = ranges.map(({ partition, from, to, incarnation }) => ({
    partition,
    from: String(from),
    to: String(to),
    ...(incarnation === undefined ? {} : { incarnation }),
  }));
  return {
    action: `stage.${stage}`,
    object,
    outcome: window.outcome ?? 'success',
    code: window.code,
    counts: window.counts,
    contract: window.contract,
    traceId: window.traceId,
    spanId: window.spanId,
    details: {
      attempt,
      ranges: stated,
      ...(keyIds === undefined ? {} : { keys: statedKeys(keyIds) }),
      ...(tree === undefined ? {} : { tree_size: tree.size, root: Buffer.from(tree.root()).toString('hex') }),
    },
    identity: [object.type, object.id, attempt, canonicalJson(stated)],
  };
}

/** The ids themselves while they are few; else their number and the RFC 6962 root over the sorted ids. */
function statedKeys(keyIds: Iterable<string>): Readonly<Record<string, number | string | readonly string[]>> {
  const ids = [...new Set(keyIds)].sort();
  if (ids.length <= MOST_KEY_IDS) return { count: ids.length, ids };
  const tree = new MerkleAccumulator();
  for (const id of ids) tree.append(leafHash(Buffer.from(id)));
  return { count: ids.length, root: Buffer.from(tree.root()).toString('hex') };
}
