import { nameOf } from '../act.ts';

/** The fields that Cassandra itself writes stand before `operation:`, which is the client's: what a field is was decided before. */
const FIELDS =
  /^user:([^|]*)\|host:([^|]*)\|source:([^|]*)\|port:\d+\|timestamp:\d+\|type:([A-Z_]+)\|category:([A-Z]+)(?:\|batch:[^|]*)?(?:\|ks:([^|]*))?(?:\|scope:([^|]*))?\|operation:(.*)$/s;

/** A message of Cassandra's FileAuditLogger, apart. */
export interface AuditLine {
  readonly principal: string | undefined;
  /** Address and port of the node. */
  readonly node: string;
  /** Whence the client came. */
  readonly address: string;
  readonly category: string;
  readonly type: string;
  /** Of a refused statement, the keyspace that the client had chosen with USE. */
  readonly keyspace: string | undefined;
  readonly scope: string | undefined;
  /** What the client sent, then `; ` and Cassandra's reason where it failed. Never part of an event. */
  readonly operation: string;
}

/** Undefined where the message has not the form of an audit line. */
export function parseAuditLine(message: string): AuditLine | undefined {
  const [, user, host, source, type, category, keyspace, scope, operation] = FIELDS.exec(message) ?? [];
  if (user === undefined || host === undefined || source === undefined) return undefined;
  if (type === undefined || category === undefined || operation === undefined) return undefined;
  return {
    principal: user === 'null' ? undefined : nameOf(user),
    node: nameOf(host.slice(host.lastIndexOf('/') + 1)),
    address: nameOf(source.slice(source.lastIndexOf('/') + 1)),
    ...{ category, type, keyspace, scope, operation },
  };
}
