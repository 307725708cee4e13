import { WardlineError } from '../../core/errors/errors.ts';
import type { CassandraWork } from '../../security/connect/cassandra/renewing-cassandra.ts';
import { AUDIT_TOPIC } from '../../security/principals/names.ts';
import { claimedOrigin, openCheckpoint, type Checkpoint } from '../checkpoint/checkpoint.ts';
import type { NoteVerifier } from '../checkpoint/signed-note.ts';
import { MerkleAccumulator } from '../merkle/accumulator.ts';
import { leafHash } from '../merkle/hash.ts';
import { storedTree } from '../merkle/stored-tree.ts';
import { TileBuilder } from '../merkle/tiles.ts';
import { latestCheckpoint } from '../store/checkpoints.ts';
import { epochOfOrigin, originOf, readEpochs, writeEpoch, type Epoch } from '../store/epochs.ts';
import { eventTree } from '../store/event-tree.ts';
import { readTopic, topicBounds, type TopicBounds, type TopicReader } from '../topic/read-topic.ts';
import { placeOfDeclaration } from './declaration.ts';
import type { CheckpointReader } from './places.ts';

/** What a log is opened from. */
export interface LogSources {
  readonly install: string;
  readonly cassandra: CassandraWork;
  readonly topic: TopicReader;
  readonly places: readonly CheckpointReader[];
  /** The notary's key under the name of an epoch's log. */
  readonly verifier: (origin: string) => NoteVerifier;
}

/** Where a notary goes on. */
export interface OpenedLog {
  readonly epoch: number;
  /** Events that are stored and under a checkpoint that the keyspace holds. */
  readonly size: number;
  readonly tree: MerkleAccumulator;
  readonly tiles: TileBuilder;
  /** The largest checkpoint found anywhere: nothing is signed below it, and what is signed must lead through it. */
  readonly largest: Checkpoint | undefined;
}

/**
 * Opens the log that the audit topic holds, at the end of what the keyspace has of it. Checks, in this order: that the
 * keyspace's last checkpoint is the notary's; that the topic is there from its first message on; that it is the topic of
 * the newest epoch known anywhere; that it still holds what the largest checkpoint says; that the keyspace's tree leads
 * to its own last checkpoint.
 * Throws AUDIT_EPOCH_LOST where the topic is another or lost events, AUDIT_FORK where hashes do not lead to a checkpoint.
 */
export async function openLog(sources: LogSources): Promise<OpenedLog> {
  const { install, cassandra } = sources;
  const epochs = await readEpochs(cassandra, install);
  const published = await publishedCheckpoints(sources);
  const epoch = Math.max(1, ...epochs.map((known) => known.epoch), ...published.keys());
  const known = epochs.find((candidate) => candidate.epoch === epoch);
  const origin = originOf(install, epoch);
  const kept = await keptCheckpoint(sources, epoch, published.get(epoch)?.size);
  const largest = largerOf(published.get(epoch), kept);
  // Last: while this was read, another notary may have signed what the topic did not hold before.
  const bounds = await wholeTopic(sources);
  await requireSameTopic(sources, epoch, known, bounds);
  if (largest !== undefined && largest.size > bounds.high)
    throw lost(epoch, `it ends at ${bounds.high}, and a checkpoint holds ${largest.size} events`);
  if (known === undefined && bounds.high > 0) await list(sources, epoch, published.get(epoch), bounds);
  const size = kept?.size ?? 0;
  await requireConsistent(sources, epoch, published.get(epoch), size);
  const { tree, tiles } = await treeAt(
    sources,
    epoch,
    kept ?? { origin, size: 0, root: new MerkleAccumulator().root() },
  );
  return { epoch, size, tree, tiles, largest };
}

async function wholeTopic({ topic }: LogSources): Promise<TopicBounds> {
  const bounds = await topicBounds(topic, AUDIT_TOPIC);
  if (bounds === undefined)
    throw new WardlineError('AUDIT_EPOCH_LOST', `there is no topic ${AUDIT_TOPIC}`, {
      hint: 'make it again with: wardline up; then open a new epoch with: wardline notary --new-epoch --reason "…"',
    });
  if (bounds.low > 0) throw lost(undefined, `it begins at ${bounds.low}: what was before was deleted`);
  return bounds;
}

/** The largest verified checkpoint of each epoch, of all places beside the keyspace. */
export async function publishedCheckpoints({
  install,
  places,
  verifier,
}: LogSources): Promise<ReadonlyMap<number, Checkpoint>> {
  const largest = new Map<number, Checkpoint>();
  for (const place of places) {
    for (const note of await place.latest()) {
      const checkpoint = verified(note, install, verifier);
      const epoch = checkpoint === undefined ? undefined : epochOfOrigin(install, checkpoint.origin);
      if (checkpoint === undefined || epoch === undefined) continue;
      const before = largest.get(epoch);
      if (before === undefined || before.size < checkpoint.size) largest.set(epoch, checkpoint);
    }
  }
  return largest;
}

/** What does not verify is nobody's checkpoint: `audit verify` names it, and here it decides nothing. */
function verified(note: string, install: string, verifier: LogSources['verifier']): Checkpoint | undefined {
  const origin = claimedOrigin(note);
  if (epochOfOrigin(install, origin) === undefined) return undefined;
  try {
    return openCheckpoint(note, [verifier(origin)]);
  } catch {
    return undefined;
  }
}

/** The keyspace's own last checkpoint. One that is not the notary's is no place to go on from. */
export async function keptCheckpoint(
  { install, cassandra, verifier }: LogSources,
  epoch: number,
  likely: number | undefined,
): Promise<Checkpoint | undefined> {
  const stored = await latestCheckpoint(cassandra, epoch, likely);
  if (stored === undefined) return undefined;
  const origin = originOf(install, epoch);
  const checkpoint = verified(stored.note, install, verifier);
  if (checkpoint?.origin === origin && checkpoint.size === stored.size) return checkpoint;
  throw fork(`the last checkpoint of epoch ${epoch} in the audit keyspace is not the notary's`);
}

async function requireSameTopic(
  sources: LogSources,
  epoch: number,
  known: Epoch | undefined,
  { high }: TopicBounds,
): Promise<void> {
  if (known === undefined) return;
  if (high === 0) throw lost(epoch, 'it is empty');
  if (!known.firstLeaf.equals(await firstLeaf(sources))) throw lost(epoch, 'it begins with another event');
}

/**
 * Puts an epoch on the list that is not on it: the first, or one whose keyspace was lost. By what was published of it the
 * topic is known again: a new one may have grown longer than the old one was.
 */
async function list(
  { install, cassandra, topic }: LogSources,
  epoch: number,
  published: Checkpoint | undefined,
  bounds: TopicBounds,
): Promise<void> {
  if (published !== undefined && published.size > 0) {
    const { tree } = await treeOfTopic(topic, published.size);
    if (Buffer.compare(tree.root(), published.root) !== 0)
      throw lost(epoch, `it does not lead to the published checkpoint of ${published.size} events`);
  }
  const declaredAt = epoch === 1 ? undefined : await placeOfDeclaration(topic, epoch, bounds);
  await writeEpoch(cassandra, install, { epoch, firstLeaf: await firstLeaf({ topic }), declaredAt });
}

/** The hash of the topic's first leaf, by which an epoch is known again. */
export async function firstLeaf({ topic }: Pick<LogSources, 'topic'>): Promise<Buffer> {
  let first: Uint8Array = Buffer.alloc(0);
  await readTopic(topic, AUDIT_TOPIC, { from: 0, to: 1 }, ([message]) => {
    first = leafHash(message?.value ?? Buffer.alloc(0));
  });
  return Buffer.from(first);
}

/** What was published before the keyspace's own last checkpoint must lie on the way to it. */
async function requireConsistent(
  { cassandra, topic }: LogSources,
  epoch: number,
  published: Checkpoint | undefined,
  size: number,
): Promise<void> {
  if (published === undefined || published.size === 0 || published.size > size) return;
  const root = await storedTree(eventTree(cassandra, epoch), published.size)
    .root()
    .catch((error: unknown) => {
      // Events that are missing: the topic has them still, and treeAt looks there.
      if (error instanceof RangeError) return published.root;
      throw error;
    });
  if (Buffer.compare(root, published.root) === 0) return;
  const { tree } = await treeOfTopic(topic, published.size);
  if (Buffer.compare(tree.root(), published.root) === 0) return;
  throw fork(
    `neither the audit keyspace nor the topic leads to the published checkpoint of ${published.size} events of epoch ${epoch}`,
  );
}

/** The tree under a checkpoint: from the keyspace, and where that does not lead to it, from the topic. */
async function treeAt(
  { cassandra, topic }: LogSources,
  epoch: number,
  { size, root }: Checkpoint,
): Promise<{ readonly tree: MerkleAccumulator; readonly tiles: TileBuilder }> {
  const stored = storedTree(eventTree(cassandra, epoch), size);
  const leads = await stored.root().then(
    (found) => Buffer.compare(found, root) === 0,
    (error: unknown) => {
      if (error instanceof RangeError) return false;
      throw error;
    },
  );
  if (leads) return { tree: await stored.accumulator(), tiles: await stored.tileBuilder() };
  const again = await treeOfTopic(topic, size);
  if (Buffer.compare(again.tree.root(), root) === 0) return again;
  throw fork(`neither the audit keyspace nor the topic leads to the checkpoint of ${size} events of epoch ${epoch}`);
}

/** The tree of the topic's first `size` messages. */
async function treeOfTopic(
  topic: TopicReader,
  size: number,
): Promise<{ readonly tree: MerkleAccumulator; readonly tiles: TileBuilder }> {
  const [tree, tiles] = [new MerkleAccumulator(), new TileBuilder()];
  await readTopic(topic, AUDIT_TOPIC, { from: 0, to: size }, (messages) => {
    for (const { value } of messages) {
      const leaf = leafHash(value ?? Buffer.alloc(0));
      tree.append(leaf);
      tiles.append(leaf);
    }
  });
  return { tree, tiles };
}

export function largerOf(a: Checkpoint | undefined, b: Checkpoint | undefined): Checkpoint | undefined {
  return a === undefined || (b !== undefined && b.size > a.size) ? b : a;
}

function lost(epoch: number | undefined, what: string): WardlineError {
  const of = epoch === undefined ? '' : ` of epoch ${epoch}`;
  return new WardlineError('AUDIT_EPOCH_LOST', `the audit topic is not whole or not the one${of}: ${what}`, {
    hint: 'find out what happened to it; then go on in a new epoch, which states the loss: wardline notary --new-epoch --reason "…"',
  });
}

export function fork(what: string): WardlineError {
  return new WardlineError('AUDIT_FORK', what, {
    hint: 'nothing is signed against a checkpoint: see what was changed with wardline audit verify, and keep it as evidence',
  });
}
