import { asWardlineError } from '../../core/errors/errors.ts';
import type { CassandraWork } from '../../security/connect/cassandra/renewing-cassandra.ts';
import { asCassandraError } from '../../security/connect/cassandra/cassandra.ts';
import { z } from 'zod';
import { EPOCH_OPEN } from '../notary/declaration.ts';
import type { TrustedKeys } from '../signature/signing-key.ts';
import { blockOf } from '../store/blocks.ts';
import type { Epoch } from '../store/epochs.ts';
import { EVENTS_TABLE, readEvent } from '../store/events.ts';
import { verifyEvent } from '../event/verify-event.ts';
import type { DeclaredLoss, Finding } from './finding.ts';

const declarationSchema = z.looseObject({
  epoch: z.int(),
  reason: z.string(),
  held: z.int().min(0),
});

/** What the opening of one epoch says of the one before, or what is wrong with it. */
export async function declaredLoss(
  client: Pick<CassandraWork, 'execute'>,
  { epoch, declaredAt }: Epoch,
  keys: TrustedKeys,
): Promise<DeclaredLoss | Finding> {
  const undeclared = (detail: string): Finding => ({
    kind: 'undeclared loss',
    epoch: epoch - 1,
    where: 'audit keyspace',
    detail,
  });
  if (declaredAt === undefined) return undeclared(`epoch ${epoch} follows, and nobody declared what was lost`);
  const event = await readEvent(client, epoch, declaredAt);
  if (event?.message === undefined)
    return undeclared(`the declaration of epoch ${epoch}, event ${declaredAt}, is missing`);
  try {
    const document = verifyEvent(event.message, keys);
    const details = declarationSchema.safeParse(document.details);
    const isOfNotary = document.actor.principal === 'notary' && document.action === EPOCH_OPEN;
    if (!isOfNotary || !details.success || details.data.epoch !== epoch)
      return undeclared(`event ${declaredAt} of epoch ${epoch} is not its declaration by the notary`);
    const { held, reason } = details.data;
    return { epoch: epoch - 1, held, declaredIn: epoch, declaredAt, time: document.time, reason };
  } catch (error) {
    return undeclared(`the declaration of epoch ${epoch} does not verify: ${asWardlineError(error).message}`);
  }
}

/** Rows in partitions that no epoch has come to: `ends` gives the sequence after each epoch's last. */
export async function strayPartitions(
  client: Pick<CassandraWork, 'execute'>,
  ends: ReadonlyMap<number, number>,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  try {
    const partitions = await client.execute(`SELECT DISTINCT epoch, block FROM ${EVENTS_TABLE}`, [], {
      prepare: true,
      fetchSize: 1000,
    });
    for await (const row of partitions) {
      const [epoch, block] = [Number(row['epoch']), Number(row['block'])];
      const end = ends.get(epoch);
      if (end !== undefined && block >= 0 && block <= blockOf(Math.max(0, end - 1))) continue;
      const detail = `a partition of events, block ${block}, where no event ever came to stand`;
      findings.push({ kind: 'added', epoch, where: 'audit keyspace', detail });
    }
  } catch (error) {
    throw asCassandraError(error);
  }
  return findings;
}
