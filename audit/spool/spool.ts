import { hash, randomUUID } from 'node:crypto';
import { existsSync, linkSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { asWardlineError, WardlineError } from '../../core/errors/errors.ts';
import { makeSecretFolder, syncFolder, writeFileAtomic } from '../../core/files.ts';
import { canonicalJson } from '../../core/encoding/canonical-json.ts';
import type { AuditLog, EventStatement } from '../event/event.ts';
import { parseSpoolEntry, type SpoolEntry } from './spool-entry.ts';
import { createEventSigner, type EventSigner } from '../event/sign-event.ts';

const NAME_DIGITS = 12;
const ENTRY_NAME = /^(\d{12})\.json$/;

/**
 * The audit log on disk, for acts that must be possible while Kafka is down (up, down, certs). Entry n is the file
 * `<n, 12 digits>.json` and names the SHA-256 of entry n-1, so entries form a chain. A new entry is written aside,
 * synced, then linked to its name, which fails where the name is taken: processes need no lock, a crash leaves no half
 * entry, and an append resolves only when file and folder are on disk. Files have mode 0600.
 */
export function spoolAuditLog(folder: string, signer: EventSigner): AuditLog {
  const sign = createEventSigner(signer);
  let closed = false;

  const appendAll = (statements: readonly EventStatement[]): Promise<void> => {
    try {
      if (closed) throw new WardlineError('AUDIT_UNAVAILABLE', 'the audit spool is closed');
      const messages = statements.map((statement) => sign(statement).toString('utf8'));
      makeSecretFolder(folder);
      for (const message of messages) appendEntry(folder, message, signer.install);
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(spoolError(error, folder));
    }
  };

  return {
    append: (statement) => appendAll([statement]),
    appendAll,
    close: () => {
      closed = true;
      return Promise.resolve();
    },
  };
}

/** An entry by its number and content: what the next one continues. */
export type SpoolPlace = Pick<SpoolEntry, 'sequence' | 'hash'>;

/** The place before the first entry. */
export function spoolStart(install: string): SpoolPlace {
  return { sequence: -1, hash: chainStart(install) };
}

/** Whether that very entry stands in the spool. */
export function spoolHolds(folder: string, { sequence, hash: known }: SpoolPlace): boolean {
  if (sequence < 0) return true;
  const path = entryPath(folder, sequence);
  return existsSync(path) && hash('sha256', readFileSync(path), 'base64url') === known;
}

/** Reads the whole spool, as `spoolEntries` does. */
export function readSpool(folder: string, install: string): readonly SpoolEntry[] {
  return [...spoolEntries(folder, spoolStart(install))];
}

/**
 * The spool's entries after a place, in order, with their chain checked. Events' signatures are checked by `verifyEvent`.
 * Throws AUDIT_EVENT_UNVERIFIED that names the entry that is missing, changed or of another installation, once it is
 * that entry's turn. That the newest entries were removed does not show: only what is drained to the topic is
 * protected against that.
 */
export function* spoolEntries(folder: string, after: SpoolPlace): Generator<SpoolEntry, void, void> {
  let last = after;
  for (const sequence of sequences(folder)) {
    if (sequence <= after.sequence) continue;
    if (sequence !== last.sequence + 1) throw broken(folder, last.sequence + 1, 'is missing');
    const text = readFileSync(entryPath(folder, sequence), 'utf8');
    const entry = parseSpoolEntry(text, sequence);
    if (entry === undefined) throw broken(folder, sequence, 'is not a spool entry');
    if (entry.previous !== last.hash)
      throw broken(folder, sequence, 'does not continue the entry before it: one of the two was changed');
    yield entry;
    last = entry;
  }
}

function appendEntry(folder: string, event: string, install: string): void {
  for (;;) {
    const last = sequences(folder).at(-1);
    const previous =
      last === undefined ? chainStart(install) : hash('sha256', readFileSync(entryPath(folder, last)), 'base64url');
    const target = entryPath(folder, (last ?? -1) + 1);
    const aside = join(folder, `${randomUUID()}.new`);
    writeFileAtomic(aside, `${canonicalJson({ event, previous })}\n`);
    try {
      linkSync(aside, target);
      syncFolder(folder);
      return;
    } catch (error) {
      // Another process took this number first: its entry becomes the one before ours.
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    } finally {
      rmSync(aside, { force: true });
    }
  }
}

function sequences(folder: string): number[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((name) => ENTRY_NAME.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

function entryPath(folder: string, sequence: number): string {
  return join(folder, `${String(sequence).padStart(NAME_DIGITS, '0')}.json`);
}

/** What the first entry names as its predecessor: it binds the chain to the installation. */
function chainStart(install: string): string {
  return hash('sha256', `wardline spool of ${install}`, 'base64url');
}

function spoolError(error: unknown, folder: string): WardlineError {
  if (error instanceof WardlineError) return error;
  return new WardlineError(
    'AUDIT_UNAVAILABLE',
    `cannot write to the audit spool ${folder}: ${asWardlineError(error).message}`,
    {
      hint: 'nothing proceeds without its audit event: make the folder writable and free space on its disk',
      cause: error,
    },
  );
}

function broken(folder: string, sequence: number, what: string): WardlineError {
  return new WardlineError('AUDIT_EVENT_UNVERIFIED', `the audit spool ${folder} is broken: entry ${sequence} ${what}`, {
    hint: 'keep the folder as evidence; move it away to begin a new spool',
  });
}
