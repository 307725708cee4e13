import type { EventStatement } from '../../audit/event/event.ts';
import type { Break } from './session.ts';

/** What the record says where a topic goes on elsewhere than where it was archived up to. Made again, the same event. */
export function breakEvent(install: string, { topic, partition, end, continuation }: Break): EventStatement {
  const { isNewLife, life, from, gap } = continuation;
  const code = isNewLife && end !== undefined ? 'TOPIC_REMADE' : 'RECORDS_EXPIRED';
  return {
    ...{ action: 'archive.gap', object: { type: 'topic', id: topic }, outcome: 'failure', code },
    details: {
      ...{ partition, life, from },
      ...(end === undefined ? {} : { archived_life: end.life, archived_to: end.next }),
      ...(gap === undefined ? {} : { missing_from: gap.from, missing_to: gap.to }),
    },
    identity: ['archive.gap', install, topic, String(partition), code, end?.life ?? '', String(end?.next ?? 0)],
  };
}

/** The same for people. */
export function breakText({ topic, partition, end, continuation }: Break): string {
  const place = `${topic}/${partition}`;
  const { isNewLife, gap } = continuation;
  const missing = gap === undefined ? '' : `; offsets ${gap.from} to ${gap.to - 1} are not in the archive`;
  if (isNewLife && end !== undefined)
    return `${place} was made again: what it held behind offset ${end.next - 1} before is not in the archive${missing}`;
  return `${place} was emptied before it was archived${missing}`;
}

/** What the record says where the store no longer holds the end of a topic's chain. */
export function shortenedEvent(topic: string, address: string): EventStatement {
  return {
    ...{ action: 'archive.gap', object: { type: 'topic', id: topic }, outcome: 'failure', code: 'CHUNKS_MISSING' },
    details: { store: address },
  };
}
