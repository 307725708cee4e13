import { noteSigner } from '../../audit/checkpoint/signed-note.ts';
import { runNotary } from '../../audit/notary/notary.ts';
import { checkpointsFolder, checkpointsTopic } from '../../audit/notary/places.ts';
import { readEvent } from '../../audit/store/events.ts';
import type { ReadArchiveOptions } from '../../backup/archive/read/read-archive.ts';
import { recoverAuditLog, type RecoveredAudit } from '../../backup/restore/audit-log.ts';
import { sleep, systemClock } from '../../core/clock.ts';
import { asWardlineError } from '../../core/errors/errors.ts';
import { accessOf } from '../../security/connect/access.ts';
import { kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { openKeyStore } from '../../security/keyring/key-store/key-store.ts';
import { auditSources, type AuditSources } from '../audit/sources.ts';
import type { CommandContext } from '../context.ts';

/** About a minute. */
const ATTEMPTS = 12;
const POLICY = {
  firstDelayMilliseconds: 200,
  longestDelayMilliseconds: 8000,
  attempts: ATTEMPTS,
  retryable: (error: unknown) => asWardlineError(error).retryable,
};
/** How long the declaration of an epoch may take to be stored and signed, in milliseconds. */
const NOTARY_PATIENCE = 60_000;
const POLL = 100;

/**
 * Recovers the audit log as the notary, and sees to it that what a new epoch declares is stored and signed, so that the log
 * can be verified at once. The home's own notary, which refused to work meanwhile, takes over by itself.
 */
export async function recoverAudit(
  context: CommandContext,
  archive: Omit<ReadArchiveOptions, 'from' | 'to' | 'onGap' | 'topic'>,
  reason: string,
): Promise<RecoveredAudit> {
  const sources = auditSources(context, 'notary');
  const audit = context.audit('notary');
  try {
    const privateKey = (await openKeyStore(accessOf(sources.connection, 'notary'))).checkpointKey();
    const kafka = kafkaClient(sources.connection, 'notary');
    const options = {
      ...{ sources, clock: systemClock, retry: POLICY },
      signer: (origin: string) => noteSigner(origin, privateKey),
      publishTo: () => [checkpointsTopic(kafka), checkpointsFolder(context.home().paths.checkpoints, systemClock)],
    };
    const recovered = await recoverAuditLog({ ...options, archive, audit, reason });
    if (recovered.opened !== undefined) {
      const over = new AbortController();
      const onWaiting = (waiting: string): void => context.output.note(`waiting: ${waiting}`);
      const working = runNotary({ ...options, kafka, onWaiting, signal: over.signal });
      await Promise.race([working, declarationStored(sources, recovered.opened)]).finally(() => over.abort());
      await working;
    }
    return recovered;
  } finally {
    await Promise.allSettled([audit.close(), sources.close()]);
  }
}

async function declarationStored(
  { cassandra }: AuditSources,
  { epoch, declaredAt }: NonNullable<RecoveredAudit['opened']>,
): Promise<void> {
  const deadline = Date.now() + NOTARY_PATIENCE;
  while ((await readEvent(cassandra, epoch, declaredAt)) === undefined && Date.now() < deadline) await sleep(POLL);
}
