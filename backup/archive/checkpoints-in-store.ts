import { claimedOrigin, openCheckpoint } from '../../audit/checkpoint/checkpoint.ts';
import type { NoteVerifier } from '../../audit/checkpoint/signed-note.ts';
import type { CheckpointReader } from '../../audit/notary/places.ts';
import { epochOfOrigin } from '../../audit/store/epochs.ts';
import { asWardlineError } from '../../core/errors/errors.ts';
import { storeNames } from '../naming.ts';
import { readObject, type ObjectStore } from '../objects/object-store.ts';
import type { TopicMessage } from './chunk/message.ts';

/** A note of a thousand lines at most: what is larger is none. */
const NOTE_BYTES = 64 * 1024;

/** What is wrong with the store, or with what stands in it: it keeps nobody from reading the other places. */
const AWAY: readonly string[] = [
  ...['STORE_UNREACHABLE', 'STORE_FULL', 'STORE_REFUSED'],
  ...['OBJECT_NOT_FOUND', 'OBJECT_DAMAGED'],
];

/**
 * The backup store as a place where checkpoints are kept: the largest one of each epoch. A store that cannot be read has
 * none, and `onAway` is told why: the audit log does not stand still for a store elsewhere, since the keyspace, the topic
 * and the home hold the same checkpoints.
 */
export function checkpointsInStore(
  store: Pick<ObjectStore, 'get' | 'list'>,
  install: string,
  onAway: (reason: string) => void,
): CheckpointReader {
  const read = async (): Promise<string[]> => {
    const notes: string[] = [];
    try {
      for await (const { name } of store.list(storeNames(install).checkpoints))
        notes.push((await readObject(store, name, NOTE_BYTES)).toString('utf8'));
    } catch (error) {
      const { code, message } = asWardlineError(error);
      if (!AWAY.includes(code)) throw error;
      onAway(message);
    }
    return notes;
  };
  return {
    name: 'backup store',
    latest: read,
    async *all() {
      yield await read();
    },
  };
}

/** Puts the newest checkpoints of the checkpoints topic into the store, as the archiver comes by them. */
export interface CheckpointPublisher {
  /** Notes the checkpoints among messages of the topic: those that the notary signed. */
  take(messages: readonly TopicMessage[]): void;
  /** Resolves when the largest noted one of each epoch is in the store. */
  publish(): Promise<void>;
}

export interface CheckpointPublisherOptions {
  readonly store: Pick<ObjectStore, 'get' | 'put'>;
  readonly install: string;
  readonly verifier: (origin: string) => NoteVerifier;
}

export function checkpointPublisher({ store, install, verifier }: CheckpointPublisherOptions): CheckpointPublisher {
  const names = storeNames(install);
  /** By epoch: the largest one, and the size of the one that stands in the store. */
  const noted = new Map<number, { readonly size: number; readonly note: string }>();
  const stored = new Map<number, number>();

  const open = (note: string): { readonly epoch: number; readonly size: number } | undefined => {
    const origin = claimedOrigin(note);
    const epoch = epochOfOrigin(install, origin);
    if (epoch === undefined) return undefined;
    try {
      return { epoch, size: openCheckpoint(note, [verifier(origin)]).size };
    } catch {
      // Not the notary's: `audit verify` names it, and it is no checkpoint to keep.
      return undefined;
    }
  };

  const storedSize = async (epoch: number): Promise<number> => {
    const note = await readObject(store, names.checkpoint(epoch), NOTE_BYTES).catch((error: unknown) => {
      const { code } = asWardlineError(error);
      if (code === 'OBJECT_NOT_FOUND' || code === 'OBJECT_DAMAGED') return Buffer.alloc(0);
      throw error;
    });
    return open(note.toString('utf8'))?.size ?? -1;
  };

  return {
    take(messages) {
      for (const { value } of messages) {
        const note = value?.toString('utf8') ?? '';
        const checkpoint = open(note);
        if (checkpoint !== undefined && checkpoint.size > (noted.get(checkpoint.epoch)?.size ?? -1))
          noted.set(checkpoint.epoch, { size: checkpoint.size, note });
      }
    },
    async publish() {
      for (const [epoch, { size, note }] of noted) {
        const before = stored.get(epoch) ?? (await storedSize(epoch));
        // A smaller one never replaces a larger: the store is one of the places that tell of events that are gone.
        if (size > before) await store.put(names.checkpoint(epoch), Buffer.from(note));
        stored.set(epoch, Math.max(size, before));
      }
    },
  };
}
