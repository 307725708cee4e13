import type { MessageHeader } from '../../archive/chunk/message.ts';
import type { ArchivedMessage } from '../../archive/read/read-archive.ts';

/**
 * The header that a message bears on a topic that was made again from the archive: where it stood at first. The pipeline
 * does not look at it, and nothing but the archive's own readers does.
 */
export const ORIGINAL_PLACE = 'wardline-original-place';

/** Where a message stood on the topic that was lost. */
export interface OriginalPlace {
  /** Of the archive; lives are ordered by text. */
  readonly life: string;
  readonly offset: number;
  /** What rows name as the incarnation in which the message was stored. */
  readonly incarnation: string;
  /** What rows name as the incarnation of the partition that the copy stands in. */
  readonly copiedInto: string;
}

const FORM = /^(\d{4}-[0-9a-f]{16})\/(\d{1,15})\/([\w-]{1,64})\/([\w-]{1,64})$/;

export function placeHeader({ life, offset, incarnation, copiedInto }: OriginalPlace): MessageHeader {
  return [ORIGINAL_PLACE, Buffer.from(`${life}/${offset}/${incarnation}/${copiedInto}`)];
}

/**
 * What a message's header says; undefined where it bears none, or none of this form. Whoever may write to the topic can
 * write such a header: see docs/decisions/0022-rebuilt-topics.md for what a false one can do.
 */
export function placeIn(headers: Iterable<MessageHeader>): OriginalPlace | undefined {
  for (const [name, value] of headers) {
    if (name !== ORIGINAL_PLACE || value === null) continue;
    const [, life, offset, incarnation, copiedInto] = FORM.exec(value.toString('latin1')) ?? [];
    if (life === undefined || incarnation === undefined || copiedInto === undefined) return undefined;
    return { life, offset: Number(offset), incarnation, copiedInto };
  }
  return undefined;
}

/** Tells for each message of a topic's archive, which must all pass in order, where it stood at first. */
export interface PlaceReader {
  /** The place that rows name, or undefined where it is the message's own; see `incarnationOf` for that. */
  original(message: ArchivedMessage): OriginalPlace | undefined;
  /** The incarnation of a life, where copies at its beginning tell it. */
  incarnationOf(partition: number, life: string): string | undefined;
}

/**
 * Only what stands before all else in a life is taken for copies: a topic is filled again before anyone else may write to
 * it. So a header that somebody writes later is of no use to him.
 */
export function placeReader(): PlaceReader {
  const lives = new Map<string, { copying: boolean; incarnation: string | undefined }>();
  return {
    original({ partition, life, headers }) {
      const key = `${partition}/${life}`;
      const state = lives.get(key) ?? { copying: true, incarnation: undefined };
      lives.set(key, state);
      if (!state.copying) return undefined;
      const place = placeIn(headers);
      // A copy is of an earlier life.
      if (place === undefined || place.life >= life) {
        state.copying = false;
        return undefined;
      }
      state.incarnation = place.copiedInto;
      return place;
    },
    incarnationOf: (partition, life) => lives.get(`${partition}/${life}`)?.incarnation,
  };
}
