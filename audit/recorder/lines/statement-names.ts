import type { EventStatement } from '../../event/event.ts';
import { nameOf } from '../act.ts';

/** Longer statements are not looked at. */
const LONGEST_STATEMENT = 4000;

/** A name as CQL writes it, quoted or not; comments, escapes and literals are none. */
const NAME = String.raw`(?:"([\w-]+)"|(\w+))`;
const RESOURCE = String.raw`(?:[\w. *]|"[\w-]*")+`;

/**
 * Statements about roles and rights, in which Cassandra's audit line names nobody but their author. Only the plain form
 * is read, from the first word to the last: a statement with anything else in it, such as a comment that would say
 * something different, gives no names. Passwords and other literals are never part of a name.
 */
const FORMS = {
  role: new RegExp(String.raw`^(?:CREATE|ALTER|DROP) (?:ROLE|USER) (?:IF (?:NOT )?EXISTS )?${NAME}(?=[ ;]|$)`, 'i'),
  right: new RegExp(String.raw`^(?:GRANT|REVOKE) ([A-Z_, ]+?) ON ${RESOURCE} (?:TO|FROM) ${NAME} ?;?$`, 'i'),
  membership: new RegExp(String.raw`^(?:GRANT|REVOKE) ${NAME} (?:TO|FROM) ${NAME} ?;?$`, 'i'),
  removal: /^(?:DROP|TRUNCATE)(?: TABLE| COLUMNFAMILY| KEYSPACE)? (?:IF EXISTS )?(\w+(?:\.\w+)?) ?;?$/i,
} as const;

/** What was given or taken, and whose it is now or was. */
export interface GrantNames {
  readonly right: string;
  readonly role: string;
  /** The role that was given or taken, where it was a role and not a right. */
  readonly object?: EventStatement['object'];
}

/** The role that is made, changed or dropped. */
export function roleIn(statement: string): string | undefined {
  const [, quoted, plain] = match(FORMS.role, statement);
  return named(quoted, plain);
}

/** What a GRANT or REVOKE gives or takes, and from whom. */
export function grantIn(statement: string): GrantNames | undefined {
  const [, right, ...role] = match(FORMS.right, statement);
  const holder = named(...role);
  if (right !== undefined && holder !== undefined) return { right: nameOf(right.toUpperCase()), role: holder };
  const [, ...names] = match(FORMS.membership, statement);
  const [given, taker] = [named(...names.slice(0, 2)), named(...names.slice(2))];
  if (given === undefined || taker === undefined) return undefined;
  return { right: 'MEMBERSHIP', role: taker, object: { type: 'role', id: given } };
}

/** The table or keyspace that a DROP or TRUNCATE names. */
export function removedIn(statement: string): string | undefined {
  return named(match(FORMS.removal, statement)[1]);
}

/** A name, whichever way it was written. */
function named(...ways: readonly (string | undefined)[]): string | undefined {
  const name = ways.find((way) => way !== undefined);
  return name === undefined ? undefined : nameOf(name);
}

function match(form: RegExp, statement: string): readonly (string | undefined)[] {
  return statement.length > LONGEST_STATEMENT ? [] : (form.exec(statement.trim()) ?? []);
}
