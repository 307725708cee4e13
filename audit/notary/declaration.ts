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
    for (const { offset, value } of messages)
      if (value !== null && declaresEpoch(value, epoch)) place ??= Number(offset);
  });
  return place;
}

/** Whether a message says that it opens this epoch. */
export function declaresEpoch(message: Buffer, epoch: number): boolean {
  const payload = payloadOf(message);
  const declared = payload?.['details'] as { readonly epoch?: unknown } | undefined;
  return payload?.['action'] === EPOCH_OPEN && declared?.epoch === epoch;
}
