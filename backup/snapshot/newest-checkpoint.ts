import { claimedOrigin, openCheckpoint } from '../../audit/checkpoint/checkpoint.ts';
import type { NoteVerifier } from '../../audit/checkpoint/signed-note.ts';
import type { CheckpointReader } from '../../audit/notary/places.ts';
import { epochOfOrigin } from '../../audit/store/epochs.ts';
import { asWardlineError } from '../../core/errors/errors.ts';

export interface CheckpointPlaces {
  readonly install: string;
  /** Asked in this order until one has a checkpoint. */
  readonly places: readonly CheckpointReader[];
  readonly verifier: (origin: string) => NoteVerifier;
}

/** The largest checkpoint of the newest epoch that the notary signed, from the first place that has any; else null. */
export async function newestCheckpoint({ install, places, verifier }: CheckpointPlaces): Promise<string | null> {
  for (const place of places) {
    const known = (await place.latest()).flatMap((note) => {
      const origin = claimedOrigin(note);
      const epoch = epochOfOrigin(install, origin);
      if (epoch === undefined) return [];
      try {
        return [{ note, epoch, size: openCheckpoint(note, [verifier(origin)]).size }];
      } catch (error) {
        // A note that the notary did not sign is `audit verify`'s to report.
        if (asWardlineError(error).code === 'AUDIT_CHECKPOINT_INVALID') return [];
        throw error;
      }
    });
    const [newest] = known.toSorted((a, b) => b.epoch - a.epoch || b.size - a.size);
    if (newest !== undefined) return newest.note;
  }
  return null;
}
