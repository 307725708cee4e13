import { hash } from 'node:crypto';
import { z } from 'zod';

const spoolEntrySchema = z.strictObject({ event: z.string().min(1), previous: z.string().length(43) });

/** One entry of the spool, as read. */
export interface SpoolEntry {
  readonly sequence: number;
  /** The message as it will stand on the audit topic: a compact JWS. */
  readonly event: string;
  /** base64url SHA-256 of the file before. */
  readonly previous: string;
  /** base64url SHA-256 of this file. */
  readonly hash: string;
}

/** Reads one entry's file. Returns undefined where it is none. */
export function parseSpoolEntry(text: string, sequence: number): SpoolEntry | undefined {
  try {
    const { event, previous } = spoolEntrySchema.parse(JSON.parse(text));
    return { sequence, event, previous, hash: hash('sha256', text, 'base64url') };
  } catch {
    return undefined;
  }
}
