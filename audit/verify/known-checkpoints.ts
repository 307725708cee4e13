import { asWardlineError } from '../../core/errors/errors.ts';
import type { CassandraWork } from '../../security/connect/cassandra/renewing-cassandra.ts';
import { claimedOrigin, openCheckpoint } from '../checkpoint/checkpoint.ts';
import type { NoteVerifier } from '../checkpoint/signed-note.ts';
import type { CheckpointReader } from '../notary/places.ts';
import { blockOf, heldBlocks } from '../store/blocks.ts';
import { readCheckpoints } from '../store/checkpoints.ts';
import { epochOfOrigin } from '../store/epochs.ts';
import type { Finding } from './finding.ts';

/** A tree head that the notary signed, with where it was found. */
export interface KnownCheckpoint {
  readonly size: number;
  /** base64. */
  readonly root: string;
  readonly places: string[];
}

export interface CheckpointSources {
  readonly install: string;
  readonly cassandra: Pick<CassandraWork, 'execute'>;
  readonly places: readonly CheckpointReader[];
  readonly verifier: (origin: string) => NoteVerifier;
}

/** Every signed checkpoint that can be found, by epoch and size, and what is wrong with those that do not hold. */
export class KnownCheckpoints {
  readonly #byEpoch = new Map<number, Map<number, KnownCheckpoint[]>>();
  readonly findings: Finding[] = [];

  /** Reads those of every place beside the keyspace. */
  async readPlaces({ places, install, verifier }: CheckpointSources): Promise<void> {
    for (const place of places)
      for await (const notes of place.all()) for (const note of notes) this.#take(note, place.name, install, verifier);
  }

  /** Reads those that the keyspace holds of an epoch. */
  async readKeyspace({ cassandra, install, verifier }: CheckpointSources, epoch: number): Promise<void> {
    const likely = blockOf(this.sizes(epoch).at(-1) ?? 0);
    const blocks = await heldBlocks(
      async (block) => (await readCheckpoints(cassandra, epoch, block)).length > 0,
      likely,
    );
    for (let block = 0; block < Math.max(blocks, likely + 1); block += 1) {
      for (const { size, note } of await readCheckpoints(cassandra, epoch, block)) {
        const taken = this.#take(note, 'audit keyspace', install, verifier, epoch);
        if (taken !== undefined && taken.size !== size)
          this.#fault(
            'changed',
            epoch,
            'audit keyspace',
            `the checkpoint of ${taken.size} events stands as one of ${size}`,
          );
      }
    }
  }

  /** The epochs that any checkpoint is of. */
  epochs(): readonly number[] {
    return [...this.#byEpoch.keys()];
  }

  /** The sizes that were signed in an epoch, rising. */
  sizes(epoch: number): readonly number[] {
    return [...(this.#byEpoch.get(epoch)?.keys() ?? [])].sort((a, b) => a - b);
  }

  /** What was signed at a size: one root, unless somebody signed two. */
  at(epoch: number, size: number): readonly KnownCheckpoint[] {
    return this.#byEpoch.get(epoch)?.get(size) ?? [];
  }

  #take(
    note: string,
    place: string,
    install: string,
    verifier: CheckpointSources['verifier'],
    expectedEpoch?: number,
  ): KnownCheckpoint | undefined {
    const origin = claimedOrigin(note);
    const epoch = epochOfOrigin(install, origin);
    if (epoch === undefined || (expectedEpoch !== undefined && epoch !== expectedEpoch)) {
      this.#fault('signature', expectedEpoch ?? 0, place, 'a checkpoint of another log, or none at all');
      return undefined;
    }
    try {
      const { size, root } = openCheckpoint(note, [verifier(origin)]);
      return this.#keep(epoch, size, Buffer.from(root).toString('base64'), place);
    } catch (error) {
      this.#fault('signature', epoch, place, asWardlineError(error).message);
      return undefined;
    }
  }

  #keep(epoch: number, size: number, root: string, place: string): KnownCheckpoint {
    const bySize = this.#byEpoch.get(epoch) ?? new Map<number, KnownCheckpoint[]>();
    this.#byEpoch.set(epoch, bySize);
    const known = bySize.get(size) ?? [];
    bySize.set(size, known);
    const same = known.find((checkpoint) => checkpoint.root === root);
    if (same !== undefined) {
      if (!same.places.includes(place)) same.places.push(place);
      return same;
    }
    const checkpoint = { size, root, places: [place] };
    known.push(checkpoint);
    if (known.length > 1)
      this.#fault('fork', epoch, place, `a second checkpoint of ${size} events was signed, with another root`);
    return checkpoint;
  }

  #fault(kind: Finding['kind'], epoch: number, where: string, detail: string): void {
    this.findings.push({ kind, epoch, where, detail });
  }
}
