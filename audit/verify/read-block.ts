import { asWardlineError } from '../../core/errors.ts';
import type { CassandraWork } from '../../security/connect/renewing-cassandra.ts';
import { leafHash } from '../merkle/hash.ts';
import type { TrustedKeys } from '../signature/signing-key.ts';
import { blockStart } from '../store/blocks.ts';
import { columnsOf, type EventColumns } from '../store/columns.ts';
import { readEvents, type StoredEvent } from '../store/events.ts';
import { verifyEvent } from '../verify-event.ts';
import { emptyBlock, setLeaf, type BlockCopy } from './block-copy.ts';
import { EVENTS_PER_BLOCK } from '../../security/audit-keyspace/tables.ts';

/** A row that is wrong in itself, whatever the tree says. */
export interface RowFault {
  readonly sequence: number;
  readonly kind: 'changed' | 'added' | 'signature';
  readonly detail: string;
}

/** One block of the events table. */
export interface StoredBlock extends BlockCopy {
  readonly faults: readonly RowFault[];
  /** Events read. */
  readonly events: number;
}

/** Faults of one block beyond these are counted in the last one's detail: a block that is all wrong fits into memory. */
const FAULTS_KEPT = 1000;

/**
 * Reads a block, hashes each event, and holds the other columns of its row against the event itself; with `keys`, checks
 * each event's signature as well.
 */
export async function readBlock(
  client: Pick<CassandraWork, 'execute'>,
  epoch: number,
  block: number,
  keys?: TrustedKeys,
): Promise<StoredBlock> {
  const start = blockStart(block);
  const copy = emptyBlock(EVENTS_PER_BLOCK);
  const faults: RowFault[] = [];
  let events = 0;
  for await (const page of readEvents(client, epoch, block)) {
    for (const event of page) {
      events += 1;
      const { sequence, message } = event;
      const index = sequence - start;
      if (index < 0 || index >= EVENTS_PER_BLOCK) {
        faults.push({ sequence, kind: 'added', detail: 'a row whose sequence does not belong to its partition' });
        continue;
      }
      if (message === undefined) continue;
      setLeaf(copy, index, leafHash(message));
      const fault =
        columnFault(event, message) ?? (keys === undefined ? undefined : signatureFault(event, message, keys));
      if (fault !== undefined && faults.length < FAULTS_KEPT) faults.push(fault);
    }
  }
  return { ...copy, faults, events };
}

function columnFault({ sequence, columns }: StoredEvent, message: Buffer): RowFault | undefined {
  const expected = columnsOf(message);
  const wrong = (Object.keys(expected) as (keyof EventColumns)[]).filter((name) => columns[name] !== expected[name]);
  if (wrong.length === 0) return undefined;
  return { sequence, kind: 'changed', detail: `what stands beside the event differs from it: ${wrong.join(', ')}` };
}

function signatureFault({ sequence }: StoredEvent, message: Buffer, keys: TrustedKeys): RowFault | undefined {
  try {
    verifyEvent(message, keys);
    return undefined;
  } catch (error) {
    return { sequence, kind: 'signature', detail: asWardlineError(error).message };
  }
}
