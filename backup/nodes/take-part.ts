import type { AuditLog } from '../../audit/event/event.ts';
import type { SigningKey } from '../../audit/signature/signing-key.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { isBackedUp } from '../snapshot/capture-cassandra.ts';
import { storeSnapshot, type StoreSnapshotParts } from '../snapshot/store-snapshot.ts';
import { markUnderWay, waitUntilNoneUnderWay } from '../snapshot/under-way.ts';
import { headOf, SNAPSHOT_PART, type SnapshotRequest } from './documents.ts';
import { answer, type FoundRequest } from './next-request.ts';

export interface TakePartParts extends StoreSnapshotParts {
  /** Host id of the node on this machine. */
  readonly nodeId: string;
  readonly signingKey: SigningKey;
  readonly audit: Pick<AuditLog, 'append'>;
  /** How long to wait for a prune that is under way, in milliseconds. */
  readonly patience: number;
}

export interface PartSummary {
  readonly backup: string;
  readonly node: string;
  readonly files: number;
  /** Bytes of all files, and bytes that had to be sent. */
  readonly bytes: number;
  readonly sent: number;
}

/**
 * Does this node's part of a backup that another host makes: takes a snapshot of what the request names, stores it, and
 * answers with a signed list of its files. A call that was killed can be made again. Throws REFUSED_BY_POLICY where the
 * request asks for what this home does not give, BACKUP_BUSY where a backup is under way in this home, NOT_FOUND where
 * the request was withdrawn before the part was done.
 */
export async function takePart(parts: TakePartParts, found: FoundRequest<SnapshotRequest>): Promise<PartSummary> {
  const { home, store, clock, audit, nodeId } = parts;
  const { request } = found;
  const object = { type: 'backup', id: request.id };
  const marks = { store, home, clock };
  try {
    requireFitting(parts, request);
    const summary = await markUnderWay(marks, 'backup', `${request.id}.${nodeId}`, async (mark) => {
      // Of a call that was killed.
      await parts.node.clearAll();
      await waitUntilNoneUnderWay(marks, 'prune', parts.patience);
      return await storePart(parts, found, () => mark.requireUnbroken());
    });
    const { files, bytes, sent } = summary;
    await audit.append({
      ...{ action: 'backup.part', object, outcome: 'success' },
      ...{ counts: { files, bytes, sent }, details: { node: nodeId } },
    });
    return summary;
  } catch (error) {
    await audit
      .append({ action: 'backup.part', object, outcome: 'failure', details: { node: nodeId } })
      // The failure itself is what the caller must hear of.
      .catch(() => undefined);
    throw error;
  }
}

async function storePart(
  parts: TakePartParts,
  found: FoundRequest<SnapshotRequest>,
  requireMark: () => void,
): Promise<PartSummary> {
  const { home, store, clock, trusted, nodeId } = parts;
  const { id, keyspaces, damaged } = found.request;
  const { files, sent, snapshotAt } = await storeSnapshot(parts, id, keyspaces, nodeId, new Set(damaged));
  requireMark();
  const isTaken = await answer(
    { store, install: home.install, clock, trusted, key: parts.signingKey },
    SNAPSHOT_PART,
    found,
    { ...headOf(home.install, id), node: nodeId, request: found.sha256, snapshotAt, sent, files: [...files] },
  );
  if (!isTaken)
    throw new WardlineError('NOT_FOUND', `backup ${id} was given up before this part of it was done`, {
      hint: 'what was stored counts: the next part of this node is the sooner done',
    });
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { backup: id, node: nodeId, files: files.length, bytes, sent };
}

/** Whoever can sign a request can neither have keys copied nor have anything encrypted to itself. */
function requireFitting({ recipients }: TakePartParts, request: SnapshotRequest): void {
  const kept = request.keyspaces.filter((keyspace) => !isBackedUp(keyspace));
  if (kept.length > 0)
    throw new WardlineError(
      'REFUSED_BY_POLICY',
      `backup ${request.id} asks for ${kept.join(', ')}, which no backup holds`,
    );
  const same = JSON.stringify(recipients.toSorted()) === JSON.stringify(request.recipients.toSorted());
  if (same) return;
  throw new WardlineError(
    'REFUSED_BY_POLICY',
    `backup ${request.id} is encrypted to others than this home's recipients`,
    {
      hint: 'give both homes the same recipients: copy backup/recipients from one to the other, once you know which is right',
    },
  );
}
