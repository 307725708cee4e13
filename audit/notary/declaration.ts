import { AUDIT_TOPIC } from '../../security/principals/names.ts';
import { payloadOf } from '../store/columns.ts';
import { readTopic, type TopicBounds, type TopicReader } from '../topic/read-topic.ts';

export const EPOCH_OPEN = 'epoch.open';

/**
 * Where the topic holds the declaration of an epoch, within these bounds; undefined where it does not. The log does not tell
 * where an event came to stand, so it is looked for. Whether the notary made it is for whoever verifies the log to check.
 */
export async function placeOfDeclaration(
  topic: TopicReader,
  epoch: number,
  { low, high }: TopicBounds,
): Promise<number | undefined> {
  let place: number | undefined;
  await readTopic(topic, AUDIT_TOPIC, { from: low, to: high }, (messages) => {
    for (const { offset, value } of messages) {
      const payload = value === null ? undefined : payloadOf(value);
      const declared = payload?.['details'] as { readonly epoch?: unknown } | undefined;
      if (payload?.['action'] === EPOCH_OPEN && declared?.epoch === epoch) place ??= Number(offset);
    }
  });
  return place;
}
