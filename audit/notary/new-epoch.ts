import { asWardlineError, WardlineError } from '../../core/errors/errors.ts';
import { AUDIT_TOPIC } from '../../security/principals/names.ts';
import type { AuditLog } from '../event/event.ts';
import { heldBlocks } from '../store/blocks.ts';
import { blockHolds, lastInBlock } from '../store/events.ts';
import { originOf, readEpochs, writeEpoch } from '../store/epochs.ts';
import { topicBounds } from '../topic/read-topic.ts';
import { EPOCH_OPEN, placeOfDeclaration } from './declaration.ts';
import { firstLeaf, openLog, publishedCheckpoints, type LogSources } from './open-log.ts';

/** What was declared. */
export interface NewEpoch {
  readonly epoch: number;
  /** Sequence of the declaration in the new epoch. */
  readonly declaredAt: number;
  /** Events of the previous epoch that the keyspace holds. */
  readonly held: number;
}

/**
 * Opens the next epoch on the topic that is there now, by an event that names the previous one's largest known checkpoint,
 * how many of its events are held, and where the loss begins. `audit` must sign as the notary.
 * Throws REFUSED_BY_POLICY where nothing is lost: then the epoch goes on.
 */
export async function openNewEpoch(sources: LogSources, audit: AuditLog, reason: string): Promise<NewEpoch> {
  const { install, cassandra, topic } = sources;
  await requireLoss(sources);
  const bounds = await topicBounds(topic, AUDIT_TOPIC);
  if (bounds === undefined)
    throw new WardlineError('AUDIT_EPOCH_LOST', `there is no topic ${AUDIT_TOPIC}`, {
      hint: 'make it again with: wardline up',
    });
  const published = await publishedCheckpoints(sources);
  const epochs = await readEpochs(cassandra, install);
  const previous = Math.max(1, ...epochs.map(({ epoch }) => epoch), ...published.keys());
  const epoch = previous + 1;
  const checkpoint = published.get(previous);
  const held = await heldEvents(sources, previous);
  await audit.append({
    action: EPOCH_OPEN,
    object: { type: 'epoch', id: String(epoch) },
    outcome: 'success',
    details: {
      epoch,
      reason,
      held,
      lost_from: held,
      previous: {
        origin: originOf(install, previous),
        size: checkpoint?.size ?? 0,
        root: checkpoint === undefined ? null : Buffer.from(checkpoint.root).toString('base64'),
      },
    },
  });
  const declaredAt = await placeOf(sources, epoch, bounds.high);
  await writeEpoch(cassandra, install, { epoch, firstLeaf: await firstLeaf(sources), declaredAt });
  return { epoch, declaredAt, held };
}

async function requireLoss(sources: LogSources): Promise<void> {
  let open: number;
  try {
    ({ epoch: open } = await openLog(sources));
  } catch (error) {
    const { code } = asWardlineError(error);
    if (code === 'AUDIT_EPOCH_LOST' || code === 'AUDIT_FORK') return;
    throw error;
  }
  throw new WardlineError(
    'REFUSED_BY_POLICY',
    `epoch ${open} is whole: there is no loss that a new epoch could state`,
    {
      hint: 'start the notary without --new-epoch',
    },
  );
}

async function heldEvents({ cassandra }: LogSources, epoch: number): Promise<number> {
  const blocks = await heldBlocks((block) => blockHolds(cassandra, epoch, block));
  const last = blocks === 0 ? undefined : await lastInBlock(cassandra, epoch, blocks - 1);
  return last === undefined ? 0 : last + 1;
}

/** From where the topic ended before: what is found is this declaration, not an older attempt. */
async function placeOf({ topic }: LogSources, epoch: number, from: number): Promise<number> {
  const bounds = await topicBounds(topic, AUDIT_TOPIC);
  const place = await placeOfDeclaration(topic, epoch, { low: from, high: bounds?.high ?? from });
  if (place !== undefined) return place;
  throw new WardlineError('AUDIT_EPOCH_LOST', 'the declaration of the new epoch is not on the topic', {
    hint: 'see whether the topic was made anew meanwhile, and try again',
  });
}
