import type { SensitiveClass } from '../../core/classification.ts';
import { PRINCIPAL_NAMES, type PrincipalName } from './names.ts';
import { PRINCIPALS, type CassandraPermission, type CassandraPlace } from './table.ts';

/** A role of a contract, as far as grants need it. */
interface ContractRole {
  readonly role: string;
  readonly access: 'read' | 'write';
  readonly opens: readonly SensitiveClass[];
}

export interface KeysTable {
  readonly classification: SensitiveClass;
  readonly keyspace: string;
  readonly table: string;
}

/** `base`: what holds once per cluster. `audit`: once the audit keyspace exists. `contract`: what one contract adds. */
export type CassandraScope =
  | { readonly kind: 'base' }
  | { readonly kind: 'audit'; readonly keyspace: string }
  | {
      readonly kind: 'contract';
      readonly keyspace: string;
      readonly table: string;
      readonly keysTables: readonly KeysTable[];
      readonly roles: readonly ContractRole[];
    };

type CassandraResource =
  | { readonly type: 'table'; readonly keyspace: string; readonly table: string }
  | { readonly type: 'keyspace'; readonly keyspace: string }
  | { readonly type: 'all keyspaces' }
  | { readonly type: 'all roles' };

/** One grant, in words. */
export interface CassandraGrant {
  readonly role: PrincipalName;
  readonly permission: CassandraPermission;
  readonly resource: CassandraResource;
}

type Places = Partial<Record<CassandraPlace, (principal: PrincipalName) => readonly CassandraResource[]>>;

/** Where Cassandra keeps roles and what they may do. */
const ROLE_TABLES = ['roles', 'role_members', 'role_permissions'] as const;

const BASE_PLACES: Places = {
  'role tables': () => ROLE_TABLES.map((table) => ({ type: 'table', keyspace: 'system_auth', table })),
  'all keyspaces': () => [{ type: 'all keyspaces' }],
  'all roles': () => [{ type: 'all roles' }],
};

function placesOf(scope: CassandraScope): Places {
  if (scope.kind === 'base') return BASE_PLACES;
  if (scope.kind === 'audit') return { 'audit keyspace': () => [{ type: 'keyspace', keyspace: scope.keyspace }] };
  return {
    'data table': () => [{ type: 'table', keyspace: scope.keyspace, table: scope.table }],
    'keys tables': () => scope.keysTables.map(asResource),
    'opened keys tables': (principal) => openedKeysTables(scope, principal).map(asResource),
  };
}

function openedKeysTables(
  scope: CassandraScope & { kind: 'contract' },
  principal: PrincipalName,
): readonly KeysTable[] {
  const opens = new Set(
    scope.roles.filter((role) => role.role === principal && role.access === 'read').flatMap((role) => role.opens),
  );
  return scope.keysTables.filter((table) => opens.has(table.classification));
}

function asResource(table: KeysTable): CassandraResource {
  return { type: 'table', keyspace: table.keyspace, table: table.table };
}

/** Every grant that the table of principals asks for in this scope. The order is stable; no row occurs twice. */
export function cassandraGrants(scope: CassandraScope): readonly CassandraGrant[] {
  return grantsOn(placesOf(scope));
}

/**
 * Grants that an earlier version of a contract may have left and this one does not give:
 * keys of a class that a principal may no longer open. Revoking what was never granted does no harm.
 */
export function withdrawnCassandraGrants(scope: CassandraScope & { kind: 'contract' }): readonly CassandraGrant[] {
  return grantsOn({
    'opened keys tables': (principal) => {
      const opened = openedKeysTables(scope, principal);
      return scope.keysTables.filter((table) => !opened.includes(table)).map(asResource);
    },
  });
}

function grantsOn(places: Places): readonly CassandraGrant[] {
  return PRINCIPAL_NAMES.flatMap((role) =>
    PRINCIPALS[role].cassandra.flatMap((right) =>
      (places[right.on]?.(role) ?? []).flatMap((resource) =>
        right.grant.map((permission) => ({ role, permission, resource })),
      ),
    ),
  );
}

type RoleOf = (principal: PrincipalName) => string;
const ownName: RoleOf = (principal) => principal;

/** The CQL that gives a grant. `roleOf` gives a principal's role in Cassandra: its own name unless a connection says otherwise. */
export function grantStatement(grant: CassandraGrant, roleOf: RoleOf = ownName): string {
  return `GRANT ${grant.permission} ON ${resourceText(grant.resource)} TO ${identifier(roleOf(grant.role))}`;
}

/** The CQL that takes a grant back. */
export function revokeStatement(grant: CassandraGrant, roleOf: RoleOf = ownName): string {
  return `REVOKE ${grant.permission} ON ${resourceText(grant.resource)} FROM ${identifier(roleOf(grant.role))}`;
}

function resourceText(resource: CassandraResource): string {
  switch (resource.type) {
    case 'table':
      return `TABLE ${identifier(resource.keyspace)}.${identifier(resource.table)}`;
    case 'keyspace':
      return `KEYSPACE ${identifier(resource.keyspace)}`;
    case 'all keyspaces':
      return 'ALL KEYSPACES';
    case 'all roles':
      return 'ALL ROLES';
  }
}

/** Always quoted: a name such as `break-glass` is no bare identifier, and a quoted one cannot end the statement. */
function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
