import { WardlineError } from '../../../core/errors/errors.ts';
import { topicBounds, readTopic, type TopicReader } from '../../../audit/topic/read-topic.ts';
import { archivable } from '../../archive/kafka-view.ts';
import { placeIn, type OriginalPlace } from './original-place.ts';

/** What a partition of a topic that is being filled again holds of copies. */
export interface ExistingCopies {
  readonly last: OriginalPlace | undefined;
  /** The offset that the next message gets. */
  readonly next: number;
}

/**
 * How far an earlier call came in filling a partition. `strangers` says whether others may have written to it meanwhile.
 * Throws REFUSED_BY_POLICY where they must not have, and have.
 */
export async function existingCopies(
  reader: TopicReader,
  topic: string,
  partition: number,
  strangers: boolean,
): Promise<ExistingCopies> {
  const bounds = await topicBounds(reader, topic, partition);
  if (bounds === undefined || bounds.high === 0) return { last: undefined, next: 0 };
  let last: OriginalPlace | undefined;
  await readTopic(reader, topic, { from: bounds.low, to: bounds.high, partition }, (messages) => {
    for (const message of messages) {
      const place = placeIn(archivable(partition, message).headers);
      if (place !== undefined) last = place;
      else if (!strangers)
        throw new WardlineError(
          'REFUSED_BY_POLICY',
          `${topic}/${partition} was written to since it was made again: the record at offset ${message.offset} is none of the archive`,
          {
            hint: 'what was lost can still be restored into its tables, one by one: wardline restore latest --table …',
          },
        );
    }
  });
  return { last, next: bounds.high };
}
