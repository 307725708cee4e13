import { WardlineError } from '../../core/errors/errors.ts';
import type { CassandraWork } from '../../security/connect/cassandra/renewing-cassandra.ts';
import { openCheckpoint, type Checkpoint } from '../checkpoint/checkpoint.ts';
import type { NoteVerifier } from '../checkpoint/signed-note.ts';
import { tlogProofText } from '../checkpoint/tlog-proof.ts';
import { leafHash } from '../merkle/hash.ts';
import { verifyInclusion } from '../merkle/inclusion.ts';
import { storedTree, type TreeSource } from '../merkle/stored-tree.ts';
import { latestCheckpoint } from '../store/checkpoints.ts';
import { originOf } from '../store/epochs.ts';
import { eventTree } from '../store/event-tree.ts';
import { readEvent } from '../store/events.ts';

export interface ProofSources {
  readonly install: string;
  readonly cassandra: Pick<CassandraWork, 'execute'>;
  readonly verifier: (origin: string) => NoteVerifier;
}

/** The newest checkpoint that the keyspace holds of an epoch: the note, and what it says once verified. */
export async function newestCheckpoint(
  { install, cassandra, verifier }: ProofSources,
  epoch: number,
): Promise<{ readonly note: string; readonly checkpoint: Checkpoint }> {
  const stored = await latestCheckpoint(cassandra, epoch);
  if (stored === undefined)
    throw new WardlineError('NOT_FOUND', `no checkpoint of epoch ${epoch} is kept yet`, {
      hint: 'one is signed at the latest 5 s after an event: see whether the notary runs',
    });
  return { note: stored.note, checkpoint: openCheckpoint(stored.note, [verifier(originOf(install, epoch))]) };
}

/**
 * A proof, as text (C2SP tlog-proof), that an event stands in the log under the newest checkpoint. It is checked before it
 * is given away. Throws NOT_FOUND where the event is not there or under no checkpoint yet, AUDIT_PROOF_INVALID where what
 * is kept does not lead to the checkpoint.
 */
export async function proveEvent(sources: ProofSources, epoch: number, sequence: number): Promise<string> {
  const { cassandra } = sources;
  const event = await readEvent(cassandra, epoch, sequence);
  if (event?.message === undefined) throw new WardlineError('NOT_FOUND', `epoch ${epoch} has no event ${sequence}`);
  const { note, checkpoint } = await newestCheckpoint(sources, epoch);
  if (checkpoint.size <= sequence)
    throw new WardlineError(
      'NOT_FOUND',
      `event ${sequence} is under no checkpoint yet: the newest has ${checkpoint.size}`,
      {
        hint: 'one is signed at the latest 5 s after an event',
      },
    );
  const kept = eventTree(cassandra, epoch);
  // A wrong tile spoils no proof of events that are right: then the path is computed from the events themselves.
  for (const source of [kept, withoutTiles(kept)]) {
    const path = await pathFrom(source, checkpoint.size, sequence);
    const claim = { index: sequence, leafHash: leafHash(event.message), root: checkpoint.root, size: checkpoint.size };
    if (path !== undefined && verifyInclusion({ ...claim, proof: path }))
      return tlogProofText({ entry: event.message, index: sequence, path, checkpoint: note });
  }
  throw new WardlineError(
    'AUDIT_PROOF_INVALID',
    `event ${sequence} does not lead to the checkpoint of ${checkpoint.size} events`,
    {
      hint: 'see what was changed with: wardline audit verify',
    },
  );
}

async function pathFrom(source: TreeSource, size: number, index: number): Promise<readonly Uint8Array[] | undefined> {
  try {
    return await storedTree(source, size).inclusionProof(index);
  } catch (error) {
    // Events that are missing: then there is no path.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function withoutTiles(source: TreeSource): TreeSource {
  return { leaves: (from, to) => source.leaves(from, to), tile: () => Promise.resolve(undefined) };
}
