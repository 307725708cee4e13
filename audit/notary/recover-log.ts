import type { Clock } from '../../core/clock.ts';
import type { RetryPolicy } from '../../core/async/retry.ts';
import { EVENTS_PER_SUMMARY } from '../../security/audit-keyspace/tables.ts';
import type { NoteSigner } from '../checkpoint/signed-note.ts';
import { MerkleAccumulator } from '../merkle/accumulator.ts';
import { leafHash } from '../merkle/hash.ts';
import { storedTree } from '../merkle/stored-tree.ts';
import { TileBuilder } from '../merkle/tiles.ts';
import { blockOf } from '../store/blocks.ts';
import { columnsOf } from '../store/columns.ts';
import { originOf, readEpochs, writeEpoch, type Epoch } from '../store/epochs.ts';
import { eventTree } from '../store/event-tree.ts';
import { readEvents } from '../store/events.ts';
import { SummaryBuilder } from '../store/summary.ts';
import { declaresEpoch } from './declaration.ts';
import { createLogWriter, type LogWriter } from './log-writer.ts';
import {
  firstLeaf,
  keptCheckpoint,
  largerOf,
  publishedCheckpoints,
  type LogSources,
  type OpenedLog,
} from './open-log.ts';
import type { CheckpointPlace } from './places.ts';

/** A message of an audit topic that is gone, as a copy of it holds it. */
export interface CopiedMessage {
  /** Which incarnation of the topic it stood on: whatever tells them apart. */
  readonly life: string;
  readonly offset: number;
  readonly value: Buffer | null;
}

export interface RecoverOptions {
  readonly sources: LogSources;
  readonly signer: (origin: string) => NoteSigner;
  readonly publishTo: () => readonly CheckpointPlace[];
  readonly clock: Clock;
  readonly retry: RetryPolicy;
}

/** What was stored of an epoch: the events from `from` up to but without `to`. */
export interface RecoveredEpoch {
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Stores, as the notary does, what a copy of lost audit topics holds beyond the audit keyspace: each event at its place, and
 * checkpoints over them. The copy's messages come in the order of the topic's lives and offsets. What stands behind a gap
 * of the copy cannot be part of a tree, and is left out. The life of the topic that is there now is not touched.
 * Doing so again changes nothing. Throws AUDIT_FORK where the copy does not lead to the largest checkpoint of an epoch.
 */
export async function recoverEvents(
  options: RecoverOptions,
  copy: AsyncIterable<readonly CopiedMessage[]>,
): Promise<readonly RecoveredEpoch[]> {
  const { sources } = options;
  const epochs = await readEpochs(sources.cassandra, sources.install);
  const present = await firstLeaf(sources);
  const recovered: RecoveredEpoch[] = [];
  let life: LifeWriter | undefined;
  let epoch = 0;
  const end = async (): Promise<void> => {
    const done = await life?.end();
    if (done !== undefined) recovered.push(done);
  };
  try {
    for await (const messages of copy) {
      for (const group of Map.groupBy(messages, (message) => message.life)) {
        const [name, all] = group;
        if (life?.life !== name) {
          await end();
          const leaf = leafHash(all[0]?.value ?? Buffer.alloc(0));
          const known = epochs.find(({ firstLeaf: of }) => of.equals(leaf));
          epoch = known?.epoch ?? epoch + 1;
          const isCopied = all[0]?.offset === 0 && Buffer.compare(present, leaf) !== 0;
          life = isCopied ? await lifeWriter(options, name, epoch, known, leaf) : unread(name);
        }
        await life.take(all);
      }
    }
    await end();
  } finally {
    life?.abandon();
  }
  return recovered;
}

/** Takes in one life of the topic, an epoch. */
interface LifeWriter {
  readonly life: string;
  take(messages: readonly CopiedMessage[]): Promise<void>;
  end(): Promise<RecoveredEpoch | undefined>;
  abandon(): void;
}

function unread(life: string): LifeWriter {
  return {
    life,
    take: () => Promise.resolve(),
    end: () => Promise.resolve(undefined),
    abandon: () => undefined,
  };
}

async function lifeWriter(
  { sources, signer, publishTo, clock, retry }: RecoverOptions,
  life: string,
  epoch: number,
  known: Epoch | undefined,
  leaf: Uint8Array,
): Promise<LifeWriter> {
  const { install, cassandra } = sources;
  const log = await openKept(sources, epoch);
  let failure: { readonly error: unknown } | undefined;
  const writer: LogWriter = createLogWriter(log, await summaryOf(sources, epoch, log.size), {
    ...{ cassandra, signer: signer(originOf(install, epoch)), places: publishTo(), clock, retry },
    onSigned: () => undefined,
    onError: (error) => (failure ??= { error }),
  });
  let declaredAt = known?.declaredAt;
  return {
    life,
    async take(messages) {
      if (failure !== undefined) throw failure.error;
      for (const { offset, value } of messages)
        if (declaredAt === undefined && value !== null && declaresEpoch(value, epoch)) declaredAt = offset;
      const next: Buffer[] = [];
      for (const { offset, value } of messages)
        if (offset === writer.next + next.length) next.push(value ?? Buffer.alloc(0));
      if (next.length > 0) await writer.append(next);
    },
    async end() {
      const to = writer.next;
      await writer.close();
      if (known === undefined)
        await writeEpoch(cassandra, install, { epoch, firstLeaf: Buffer.from(leaf), declaredAt });
      return { epoch, from: log.size, to };
    },
    abandon: () => writer.abandon(),
  };
}

/** What the keyspace has of an epoch under a checkpoint of its own, as far as it leads there; else from the beginning. */
async function openKept(sources: LogSources, epoch: number): Promise<OpenedLog> {
  const { cassandra } = sources;
  const published = (await publishedCheckpoints(sources)).get(epoch);
  const kept = await keptCheckpoint(sources, epoch, published?.size);
  const largest = largerOf(published, kept);
  if (kept !== undefined) {
    const stored = storedTree(eventTree(cassandra, epoch), kept.size);
    const root = await stored.root().catch((error: unknown) => {
      if (error instanceof RangeError) return undefined;
      throw error;
    });
    if (root !== undefined && Buffer.compare(root, kept.root) === 0)
      return {
        ...{ epoch, size: kept.size, largest },
        ...{ tree: await stored.accumulator(), tiles: await stored.tileBuilder() },
      };
  }
  return { epoch, size: 0, tree: new MerkleAccumulator(), tiles: new TileBuilder(), largest };
}

async function summaryOf({ cassandra }: LogSources, epoch: number, size: number): Promise<SummaryBuilder> {
  const from = size - (size % EVENTS_PER_SUMMARY);
  const summary = new SummaryBuilder(from);
  if (from < size)
    for await (const events of readEvents(cassandra, epoch, blockOf(from), { from, to: size }))
      for (const { message } of events) summary.append(columnsOf(message));
  return summary;
}
