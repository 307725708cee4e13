import { asWardlineError } from '../../core/errors/errors.ts';
import { EVENTS_PER_BLOCK } from '../../security/audit-keyspace/tables.ts';
import type { CassandraWork } from '../../security/connect/cassandra/renewing-cassandra.ts';
import { leafHash } from '../merkle/hash.ts';
import type { TrustedKeys } from '../signature/signing-key.ts';
import { blockStart } from '../store/blocks.ts';
import { columnsOf } from '../store/columns.ts';
import { readEvents, type StoredEvent } from '../store/events.ts';
import { readSummaries } from '../store/summaries.ts';
import { verifyEvent } from '../event/verify-event.ts';
import { emptyBlock, setLeaf, type BlockCopy } from './block-copy.ts';
import { BlockMarks, type SummaryFault } from './block-marks.ts';

/** A row that is wrong in itself, whatever the tree says. */
export interface RowFault {
  readonly sequence: number;
  readonly kind: 'added' | 'signature';
  readonly detail: string;
}

/** One block of the events table. */
export interface StoredBlock extends BlockCopy {
  readonly faults: readonly RowFault[];
  /** Where summaries do not say what the block's events do. */
  readonly summaryFaults: readonly SummaryFault[];
  /** Events read. */
  readonly events: number;
}

/** Faults of one block beyond these are left out: a block that is all wrong fits into memory. */
const FAULTS_KEPT = 1000;

/**
 * Reads a block, hashes each event, and holds the summaries against the events themselves; with `keys`, checks each
 * event's signature as well. Summaries are read after the events: those of events under a checkpoint are there then.
 */
export async function readBlock(
  client: Pick<CassandraWork, 'execute'>,
  epoch: number,
  block: number,
  keys?: TrustedKeys,
): Promise<StoredBlock> {
  const start = blockStart(block);
  const copy = emptyBlock(EVENTS_PER_BLOCK);
  const marks = new BlockMarks(start);
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
      marks.set(index, columnsOf(message));
      const fault = keys === undefined ? undefined : signatureFault(event, message, keys);
      if (fault !== undefined && faults.length < FAULTS_KEPT) faults.push(fault);
    }
  }
  const summaries = await readSummaries(client, epoch, { from: start, to: start + EVENTS_PER_BLOCK });
  return { ...copy, faults, summaryFaults: marks.faults(copy.held, summaries).slice(0, FAULTS_KEPT), events };
}

function signatureFault({ sequence }: StoredEvent, message: Buffer, keys: TrustedKeys): RowFault | undefined {
  try {
    verifyEvent(message, keys);
    return undefined;
  } catch (error) {
    return { sequence, kind: 'signature', detail: asWardlineError(error).message };
  }
}
