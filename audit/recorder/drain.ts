import { asWardlineError } from '../../core/errors/errors.ts';
import type { EventStatement } from '../event/event.ts';
import type { KafkaAuditLog } from '../append/kafka-audit-log.ts';
import { MAXIMUM_EVENT_BYTES } from '../event/sign-event.ts';
import { spoolEntries, spoolHolds, spoolStart } from '../spool/spool.ts';
import type { SpoolEntry } from '../spool/spool-entry.ts';
import type { RecorderPositions, SpoolPosition } from './position.ts';

/** Entries that are sent together; bounds memory. */
const MOST_ENTRIES = 200;

export interface DrainOptions {
  readonly folder: string;
  readonly install: string;
  readonly audit: Pick<KafkaAuditLog, 'append' | 'appendSigned'>;
  readonly positions: Pick<RecorderPositions, 'spool' | 'saveSpool'>;
  /** Told what an auditor has to look into. */
  readonly onTrouble: (trouble: string) => void;
}

/**
 * Sends what was added to the spool to the audit topic: in order, with the very bytes that were signed, up to an entry
 * that is missing or was changed. A break is an event, once; what stands behind it stays where it is until somebody has
 * moved the folder away as evidence, and a new spool begins. Whether an entry is its author's word is left to whoever
 * reads the topic: the signature says it there as well. Returns how many entries were sent.
 *
 * What was sent stays in the folder: the chain needs it, and it is evidence. One file an act of an operator (up, down,
 * certificates) is about a kilobyte each, and nothing else writes there.
 */
export async function drainSpool(options: DrainOptions): Promise<number> {
  const { folder, install, audit, positions, onTrouble } = options;
  const position = positions.spool() ?? spoolStart(install);
  if (!spoolHolds(folder, position)) {
    onTrouble(`the audit spool ${folder} is not the one that was read up to entry ${position.sequence}`);
    await audit.append(broken(install, 'SPOOL_REPLACED', position.sequence));
    positions.saveSpool(spoolStart(install));
    return 0;
  }
  const { entries, reason } = take(folder, position);
  if (entries.length > 0) {
    await audit.appendSigned(entries.map(({ event }) => Buffer.from(event)));
    positions.saveSpool(placeOf(entries.at(-1)) ?? position);
  }
  if (reason !== undefined) await tellOnce(positions.spool() ?? position, reason, options);
  return entries.length;
}

async function tellOnce(
  position: SpoolPosition,
  reason: string,
  { install, audit, positions, onTrouble }: DrainOptions,
): Promise<void> {
  const entry = position.sequence + 1;
  if (position.broken === entry) return;
  onTrouble(reason);
  await audit.append(broken(install, 'SPOOL_BROKEN', entry));
  positions.saveSpool({ ...position, broken: entry });
}

function broken(install: string, code: string, entry: number): EventStatement {
  const object = { type: 'spool', id: install };
  return { action: 'spool.broken', object, outcome: 'failure', code, details: { entry } };
}

/** The entries that follow, and why no more do where that is not the spool's end. */
function take(folder: string, after: SpoolPosition): { entries: readonly SpoolEntry[]; reason: string | undefined } {
  const entries: SpoolEntry[] = [];
  try {
    for (const entry of spoolEntries(folder, after)) {
      if (Buffer.byteLength(entry.event) > MAXIMUM_EVENT_BYTES)
        return {
          entries,
          reason: `the audit spool ${folder} is broken: entry ${entry.sequence} is larger than any event`,
        };
      entries.push(entry);
      if (entries.length === MOST_ENTRIES) break;
    }
    return { entries, reason: undefined };
  } catch (error) {
    const { code, message } = asWardlineError(error);
    if (code !== 'AUDIT_EVENT_UNVERIFIED') throw error;
    return { entries, reason: message };
  }
}

function placeOf(entry: SpoolEntry | undefined): SpoolPosition | undefined {
  return entry === undefined ? undefined : { sequence: entry.sequence, hash: entry.hash };
}
