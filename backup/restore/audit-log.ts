import type { AuditLog } from '../../audit/event/event.ts';
import { openNewEpoch, type NewEpoch } from '../../audit/notary/new-epoch.ts';
import { openLog } from '../../audit/notary/open-log.ts';
import { recoverEvents, type RecoveredEpoch, type RecoverOptions } from '../../audit/notary/recover-log.ts';
import { asWardlineError } from '../../core/errors/errors.ts';
import { AUDIT_TOPIC } from '../../security/principals/names.ts';
import { readArchive, type ReadArchiveOptions } from '../archive/read/read-archive.ts';

export interface RecoverAuditOptions extends RecoverOptions {
  readonly archive: Omit<ReadArchiveOptions, 'from' | 'to' | 'onGap' | 'topic'>;
  /** Signs as the notary. */
  readonly audit: AuditLog;
  readonly reason: string;
}

export interface RecoveredAudit {
  /** What came out of the log archive. */
  readonly epochs: readonly RecoveredEpoch[];
  /** What was declared; undefined where the topic's epoch goes on. */
  readonly opened: NewEpoch | undefined;
}

/**
 * Brings the audit log back after its topic was lost: what the log archive holds beyond the audit keyspace is stored at its
 * place and signed, then a new epoch states what is lost. The keyspace's tables MUST hold by now what the backup has of
 * them. Where the topic is the one of the newest epoch, nothing is done. Doing so again changes nothing. Throws AUDIT_FORK
 * where the archive does not lead to the checkpoints that are known, and as readArchive does.
 */
export async function recoverAuditLog(options: RecoverAuditOptions): Promise<RecoveredAudit> {
  if (await isWhole(options)) return { epochs: [], opened: undefined };
  const epochs = await recoverEvents(options, readArchive({ ...options.archive, topic: AUDIT_TOPIC }));
  return { epochs, opened: await openNewEpoch(options.sources, options.audit, options.reason) };
}

async function isWhole({ sources }: RecoverAuditOptions): Promise<boolean> {
  try {
    await openLog(sources);
    return true;
  } catch (error) {
    const { code } = asWardlineError(error);
    if (code === 'AUDIT_EPOCH_LOST' || code === 'AUDIT_FORK') return false;
    throw error;
  }
}
