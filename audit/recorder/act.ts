import type { AuditAction } from '../event/actions.ts';
import type { EventStatement } from '../event/event.ts';

/** What one line of a server's log says: an event still without the line's place, time and number of repetitions. */
export interface ServerAct extends Pick<EventStatement, 'object' | 'outcome' | 'code'> {
  readonly action: Extract<AuditAction, `server.${string}`>;
  /** Names only: who (`principal`, `address`), and what kind of thing was tried. Never a statement's text. */
  readonly details: Readonly<Record<string, string>>;
}

/**
 * What a line comes to: an act; `none`, where it says nothing that belongs on the audit log; or `unreadable`, where it
 * is not what this log is made of. That last one is told, so that no line passes unseen because of its form.
 */
export type LineMeaning = ServerAct | 'none' | 'unreadable';

const LONGEST_NAME = 250;

/**
 * A name that a client may have chosen, fit to stand in an event: nothing in it that changes what an auditor sees around
 * it (control and formatting characters become `?`), and no longer than an event allows.
 */
export function nameOf(text: string): string {
  const characters = Array.from(text.slice(0, 2 * LONGEST_NAME).replaceAll(/\p{C}|[\u2028\u2029]/gu, '?'));
  const name = characters.slice(0, LONGEST_NAME).join('');
  return name === '' ? '?' : name.length < text.length && characters.length > LONGEST_NAME ? `${name}…` : name;
}

/** Details without those that are not known. */
export function known(details: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  const entries = Object.entries(details).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return Object.fromEntries(entries) as Readonly<Record<string, string>>;
}
