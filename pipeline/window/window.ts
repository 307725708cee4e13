import { createContextKey, type Context } from '@opentelemetry/api';
import type { EventStatement } from '../../audit/event/event.ts';
import { MerkleAccumulator } from '../../audit/merkle/accumulator.ts';
import { DIGEST_BYTES } from '../../security/sealed-field/record.ts';
import { stageWindowStatement, type RecordRange } from '../../audit/event/window.ts';
import type { StageFacts, StageName } from '../facts.ts';

/** Stages whose work a rejected record did not reach the end of: their ranges and root leave it out. */
const ONLY_ACCEPTED: ReadonlySet<StageName> = new Set(['transform', 'store']);

/** What a window of one process collected: the unit of audit, and of commit. */
export interface Window {
  record(stage: StageName, facts: StageFacts): void;
  /** Notes the trace that the window's first work belongs to. */
  trace(traceId: string | undefined): void;
  /**
   * Notes records of one partition that stand at `firstOffset` and the offsets after it, with their digests (32 bytes
   * each, one behind the other) in that order; `rejected` are the offsets of those that became dead letters.
   */
  include(partition: number, firstOffset: bigint, digests: Buffer, rejected?: readonly bigint[]): void;
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

/** Records that stand one behind the other on a partition. */
interface Run {
  readonly partition: number;
  readonly firstOffset: bigint;
  readonly records: number;
  readonly digests: Buffer;
  readonly rejected: ReadonlySet<bigint>;
}

export function createWindow(): Window {
  const stages = new Map<StageName, { counts: Record<string, number>; keyIds: Set<string> }>();
  const runs: Run[] = [];
  let records = 0;
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
      const run = {
        ...{ partition, firstOffset, digests, rejected: new Set(rejected) },
        records: digests.length / DIGEST_BYTES,
      };
      runs.push(run);
      records += run.records;
      rejectedCount += run.rejected.size;
      const end = firstOffset + BigInt(run.records);
      if (end > (next.get(partition) ?? 0n)) next.set(partition, end);
    },
    get records() {
      return records;
    },
    get rejected() {
      return rejectedCount;
    },
    nextOffsets: () => next,
    statements(about) {
      // By partition, then offset: whoever holds the topic can put the leaves into the same order again.
      runs.sort((a, b) => a.partition - b.partition || (a.firstOffset < b.firstOffset ? -1 : 1));
      const all = coverOf(runs, about, () => true);
      const accepted = rejectedCount === 0 ? all : coverOf(runs, about, (run, offset) => !run.rejected.has(offset));
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

/** The ranges of the records that count, and the tree over them; the root is computed once however many stages state it. */
function coverOf(
  runs: readonly Run[],
  about: WindowAbout,
  counts: (run: Run, offset: bigint) => boolean,
): { ranges: readonly RecordRange[]; tree: { size: number; root(): Uint8Array } } {
  const accumulator = new MerkleAccumulator();
  const ranges: { partition: number; from: bigint; to: bigint; incarnation: string | undefined }[] = [];
  const cover = (partition: number, from: bigint, to: bigint): void => {
    const last = ranges.at(-1);
    if (last?.partition === partition && last.to + 1n === from) last.to = to;
    else ranges.push({ partition, from, to, incarnation: about.incarnations?.get(partition) });
  };
  for (const run of runs) {
    const { partition, firstOffset, records, digests, rejected } = run;
    for (let index = 0; index < records; index += 1) {
      if (rejected.size > 0) {
        const offset = firstOffset + BigInt(index);
        if (!counts(run, offset)) continue;
        cover(partition, offset, offset);
      }
      accumulator.appendDigest(digests, index * DIGEST_BYTES);
    }
    if (rejected.size === 0 && records > 0) cover(partition, firstOffset, firstOffset + BigInt(records) - 1n);
  }
  const root = accumulator.root();
  return { ranges, tree: { size: accumulator.size, root: () => root } };
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
