import { z } from 'zod';
import { verifyEvent } from '../../audit/event/verify-event.ts';
import type { TrustedKeys } from '../../audit/signature/signing-key.ts';
import { asWardlineError } from '../../core/errors/errors.ts';
import { AUDIT_TOPIC } from '../../security/principals/names.ts';
import { readArchive } from '../archive/read/read-archive.ts';
import type { Manifest } from '../manifest/manifest.ts';
import type { ArchiveParts } from './archive-state.ts';

/** Events that a backup may have overlapped with: what was stated while it began is looked at as well. */
const OVERLAP = 20_000;

const stored = z.looseObject({
  actor: z.looseObject({ principal: z.literal('worker') }),
  action: z.literal('stage.store'),
  object: z.looseObject({ id: z.string() }),
  details: z.looseObject({
    ranges: z.array(z.looseObject({ partition: z.int(), incarnation: z.string().optional() })),
  }),
});

/**
 * The incarnations of a topic's partitions that workers have stated since a backup, each list in their order: a partition
 * whose group had committed nothing yet when the backup began got its incarnation afterwards, and only the audit log
 * says which. Reads the archived audit log from there on, and believes what a worker signed.
 */
export async function incarnationsSince(
  { store, install, trusted, identities }: ArchiveParts & { readonly identities: readonly string[] },
  { kafka }: Pick<Manifest, 'kafka'>,
  topic: string,
): Promise<ReadonlyMap<number, readonly string[]>> {
  const [audit] = kafka.topics.find(({ name }) => name === AUDIT_TOPIC)?.partitions ?? [];
  const from = new Map([[0, { offset: Math.max(0, (audit?.high ?? 0) - OVERLAP) }]]);
  const found = new Map<number, string[]>();
  for await (const messages of readArchive({ store, install, topic: AUDIT_TOPIC, identities, verify: trusted, from }))
    for (const { value } of messages) {
      const event = stored.safeParse(eventIn(value, trusted));
      if (!event.success || event.data.object.id !== topic) continue;
      for (const { partition, incarnation } of event.data.details.ranges) {
        const known = found.get(partition) ?? [];
        if (incarnation === undefined || known.includes(incarnation)) continue;
        found.set(partition, [...known, incarnation]);
      }
    }
  return found;
}

/** The event in a message of the audit topic; undefined where there is none, or one that nobody signed who may. */
function eventIn(message: Buffer | null, trusted: TrustedKeys): unknown {
  try {
    return message === null ? undefined : verifyEvent(message, trusted);
  } catch (error) {
    if (asWardlineError(error).code === 'AUDIT_EVENT_UNVERIFIED') return undefined;
    throw error;
  }
}
