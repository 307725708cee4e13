import { AUDIT_KEYSPACE, isPrincipalName } from '../../../security/principals/names.ts';
import { known, nameOf, type LineMeaning, type ServerAct } from '../act.ts';
import { parseAuditLine, type AuditLine } from './audit-line.ts';
import type { LogEntry } from './entry.ts';
import { refusalOf } from './refusal.ts';
import { grantIn, roleIn } from './statement-names.ts';

type Object = ServerAct['object'];

/** Keyspaces that describe the cluster and its schema: every driver reads them at each connection, and everybody may. */
const CATALOGUE: ReadonlySet<string> = new Set(['system', 'system_schema', 'system_virtual_schema']);

/** What an audit line says, by its category and type; the first that fits. */
const MEANINGS: readonly { readonly when: RegExp; readonly meaning: (line: AuditLine) => LineMeaning }[] = [
  { when: /^AUTH LOGIN_SUCCESS$/, meaning: loggedIn },
  { when: /^AUTH LOGIN_ERROR$/, meaning: loginRefused },
  { when: /^AUTH UNAUTHORIZED_ATTEMPT$/, meaning: refusalOf },
  { when: /^ERROR /, meaning: refusalOf },
  { when: /^DDL /, meaning: (line) => done(line, 'server.schema', schemaObject(line)) },
  { when: /^DCL LIST_/, meaning: (line) => done(line, 'server.query', rights(line)) },
  { when: /^DCL (GRANT|REVOKE)/, meaning: granted },
  { when: /^DCL /, meaning: (line) => done(line, 'server.grant', roleObject(line)) },
  { when: /^QUERY /, meaning: queried },
  // Categories that Wardline does not turn on; elsewhere somebody may have. They are writes and preparations.
  { when: /^(DML|PREPARE|OTHER) /, meaning: () => 'none' },
];

/** A line of `cassandra-audit.log`, as FileAuditLogger writes it. */
export function cassandraAuditLine({ message }: LogEntry): LineMeaning {
  const line = parseAuditLine(message);
  if (line === undefined) return 'unreadable';
  const row = MEANINGS.find(({ when }) => when.test(`${line.category} ${line.type}`));
  return row === undefined ? 'unreadable' : row.meaning(line);
}

/** What was done, without anything of its operation. */
function done(
  { principal, address, type }: AuditLine,
  action: ServerAct['action'],
  object: Object,
  more: Readonly<Record<string, string>> = {},
): ServerAct {
  return {
    ...{ action, object, outcome: 'success' },
    details: { ...known({ principal, address, statement: type }), ...more },
  };
}

/** The exact text, so that a role whose name reads like a line cannot pass for another's login. */
function loggedIn({ principal, node, address, operation }: AuditLine): LineMeaning {
  if (operation !== 'LOGIN SUCCESSFUL') return 'unreadable';
  const object = { type: 'cassandra', id: node };
  return { action: 'server.login', object, outcome: 'success', details: known({ principal, address }) };
}

/**
 * The name that was tried is what the client typed, and people type passwords there: it is stated where it is one of the
 * principals' names, and otherwise not.
 */
function loginRefused({ principal, node, address, operation }: AuditLine): LineMeaning {
  if (principal !== undefined || !operation.startsWith('LOGIN FAILURE; ')) return 'unreadable';
  const tried = /^LOGIN FAILURE; Provided username ([a-z-]+) and\/or password /.exec(operation)?.[1];
  return {
    action: 'server.login',
    object: { type: 'cassandra', id: node },
    ...{ outcome: 'denied', code: 'PASSWORD_LOGIN_FAILED' },
    details: known({ address, tried: tried !== undefined && isPrincipalName(tried) ? tried : undefined }),
  };
}

function queried(line: AuditLine): LineMeaning {
  const { principal, keyspace = '', scope } = line;
  if (CATALOGUE.has(keyspace)) return 'none';
  // The notary reads what it has stored of this very log: an event of that would be stored, and read, and so on.
  if (principal === 'notary' && keyspace === AUDIT_KEYSPACE) return 'none';
  return done(line, 'server.query', placed('table', keyspace, scope));
}

function granted(line: AuditLine): LineMeaning {
  const names = grantIn(line.operation);
  const object = names?.object ?? (line.scope === undefined ? rights(line) : resourceObject(line.scope));
  return done(line, 'server.grant', object, names === undefined ? {} : { right: names.right, role: names.role });
}

function rights({ node }: AuditLine): Object {
  return { type: 'rights', id: node };
}

function roleObject(line: AuditLine): Object {
  const role = roleIn(line.operation);
  return role === undefined ? rights(line) : { type: 'role', id: role };
}

/** CREATE_TABLE with a scope is about that table; an index has none, and belongs to its keyspace. */
function schemaObject({ type, keyspace = '', scope }: AuditLine): Object {
  return placed(type.slice(type.lastIndexOf('_') + 1).toLowerCase(), keyspace, scope);
}

function placed(kind: string, keyspace: string, scope: string | undefined): Object {
  return scope === undefined
    ? { type: 'keyspace', id: nameOf(keyspace) }
    : { type: kind, id: nameOf(`${keyspace}.${scope}`) };
}

/** A resource of rights, as Cassandra calls it: `data/<keyspace>/<table>`, `data/<keyspace>`, `data`, `roles/<role>`, `roles`. */
function resourceObject(resource: string): Object {
  const [root = '', first, second] = resource.split('/');
  if (root === 'data') return first === undefined ? { type: 'keyspace', id: '*' } : placed('table', first, second);
  if (root === 'roles') return { type: 'role', id: first === undefined ? '*' : nameOf(first) };
  return { type: 'resource', id: nameOf(resource) };
}
