import { known, nameOf, type ServerAct } from '../act.ts';
import type { AuditLine } from './audit-line.ts';
import { removedIn } from './statement-names.ts';

const NO_RIGHT =
  / has no ([A-Z_]+) permission on <(?:all ([a-z]+)s(?: in ([^<>]*))?|([a-z]+) ([^<>]*))> or any of its parents$/;
/** May stand in a line once: what a client puts into its statement to look like Cassandra's reason makes two. */
const NO_RIGHT_ANYWHERE = / permission on </g;
const GUARDRAIL =
  /^(.*); Guardrail (\w+) violated: (?:DROP and TRUNCATE TABLE|DROP KEYSPACE) functionality is not allowed$/s;

/**
 * What a refused or failed statement comes to. What it was about is not among the fields of the line, but in the reason
 * that Cassandra puts at its end; where that does not say it beyond doubt, the object is the node.
 */
export function refusalOf(line: AuditLine): ServerAct {
  const { principal, address, node, type, operation } = line;
  const node_ = { type: 'cassandra', id: node };
  const base = { action: 'server.access', details: known({ principal, address, statement: type }) } as const;
  if (type === 'UNAUTHORIZED_ATTEMPT') {
    const [, right, ...of] = only(operation) ? (NO_RIGHT.exec(operation) ?? []) : [];
    const object = right === undefined ? node_ : resource(of);
    const details = known({ ...base.details, right });
    return { ...base, object, details, outcome: 'denied', code: 'PERMISSION_DENIED' };
  }
  const [, statement = '', guardrail] = GUARDRAIL.exec(operation) ?? [];
  if (guardrail === undefined) return { ...base, object: node_, outcome: 'failure', code: 'STATEMENT_FAILED' };
  const removed = removedIn(statement);
  return {
    ...base,
    object:
      removed === undefined ? node_ : { type: guardrail.includes('keyspace') ? 'keyspace' : 'table', id: removed },
    details: { ...base.details, guardrail },
    ...{ outcome: 'denied', code: 'GUARDRAIL_DENIED' },
  };
}

function only(operation: string): boolean {
  return [...operation.matchAll(NO_RIGHT_ANYWHERE)].length === 1;
}

/** `<table k.t>`, `<keyspace k>`, `<role r>`, and of all of a kind: `<all keyspaces>`, `<all tables in k>`. */
function resource([every, within, kind = '', name = '']: readonly (string | undefined)[]): ServerAct['object'] {
  if (every === undefined) return { type: kind, id: nameOf(name) };
  return { type: every, id: within === undefined ? '*' : nameOf(`${within}.*`) };
}
