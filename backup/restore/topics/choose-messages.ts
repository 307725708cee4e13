import type { MessageHeader } from '../../archive/chunk/message.ts';
import type { ArchivedMessage } from '../../archive/read/read-archive.ts';
import { ORIGINAL_PLACE, placeHeader, placeReader, type OriginalPlace } from './original-place.ts';

/** A message as it is put on the topic that is made again. */
export interface Copy {
  readonly partition: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly MessageHeader[];
  readonly place: OriginalPlace;
}

export interface ChooseOptions {
  /** The incarnation that rows name for a life of a partition, where the archive itself does not tell. */
  readonly incarnationOf: (partition: number, life: string) => string;
  /** The incarnation that a partition has now. */
  readonly copiedInto: (partition: number) => string;
  /** Milliseconds since the epoch: what was appended before has outlived the topic's retention. */
  readonly notBefore: number;
}

/**
 * Of a topic's archived messages, given in order, those that the topic is to hold: each once, also where an earlier restore
 * put copies on the topic that were archived again.
 */
export function messageChooser(options: ChooseOptions): (messages: readonly ArchivedMessage[]) => Copy[] {
  const places = placeReader();
  const chosen = new Map<string, number>();
  return (messages) => {
    const copies: Copy[] = [];
    for (const message of messages) {
      const { partition, life, offset, timestamp, key, value } = message;
      const original = places.original(message);
      // Asked in any case: it must hear of the lives in their order.
      const stated = options.incarnationOf(partition, life);
      const incarnation = original?.incarnation ?? places.incarnationOf(partition, life) ?? stated;
      const copiedInto = options.copiedInto(partition);
      const place = { life: original?.life ?? life, offset: original?.offset ?? offset, incarnation, copiedInto };
      const name = `${partition}/${place.life}`;
      if (place.offset <= (chosen.get(name) ?? -1)) continue;
      chosen.set(name, place.offset);
      if (timestamp < options.notBefore) continue;
      const headers = [...message.headers.filter(([header]) => header !== ORIGINAL_PLACE), placeHeader(place)];
      copies.push({ partition, timestamp, key, value, headers, place });
    }
    return copies;
  };
}

/** Whether a place stands behind another one of the same partition. */
export function isBehind(place: OriginalPlace, other: OriginalPlace): boolean {
  return place.life > other.life || (place.life === other.life && place.offset > other.offset);
}
