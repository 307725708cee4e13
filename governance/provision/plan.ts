import type { AclEntry, ITopicConfig } from 'kafkajs';
import type { Settings } from '../../core/configuration.ts';
import type { PrincipalName } from '../../security/principals/names.ts';

/** One thing that a contract needs and the servers lack: `kind`, `name` and `detail` are for people, the rest is how it is made. */
export type Change = {
  readonly kind: 'topic' | 'acl' | 'keyspace' | 'table' | 'column' | 'comment' | 'grant' | 'revoke';
  /** The topic, keyspace or table that is made or changed. */
  readonly name: string;
  readonly detail: string;
} & (
  | { readonly kind: 'topic'; readonly topic: ITopicConfig }
  | { readonly kind: 'acl'; readonly acl: AclEntry }
  | CqlChange
);

interface CqlChange {
  readonly kind: 'keyspace' | 'table' | 'column' | 'comment' | 'grant' | 'revoke';
  readonly cql: string;
}

/** A change that is one CQL statement; the statement is what people see. */
export function cqlChange(kind: CqlChange['kind'], name: string, cql: string): Change {
  return { kind, name, detail: cql.replace(/\s+/g, ' '), cql };
}

/** Something on the servers that does not fit the contract, and that nobody but a person should change. */
export interface Conflict {
  readonly object: string;
  readonly problem: string;
  readonly remedy: string;
}

export interface ProvisionPlan {
  /** In the order in which they must be made. */
  readonly changes: readonly Change[];
  readonly conflicts: readonly Conflict[];
}

/** What a plan needs beside the contract. */
export interface ProvisionSettings {
  readonly topics: Settings['topics'];
  /** A principal's name on the servers: its own, unless a connection to others' servers says otherwise. */
  readonly usernameOf: (principal: PrincipalName) => string;
}
