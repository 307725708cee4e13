/** Every principal: a name with a client certificate, a password, a signing key and least privileges. */
export const PRINCIPAL_NAMES = [
  'source',
  'worker',
  'notary',
  'recorder',
  'auditor',
  'reader',
  'archiver',
  'operator',
  'break-glass',
] as const;

export type PrincipalName = (typeof PRINCIPAL_NAMES)[number];

export function isPrincipalName(name: string): name is PrincipalName {
  return (PRINCIPAL_NAMES as readonly string[]).includes(name);
}

/** The topic of audit events. */
export const AUDIT_TOPIC = 'wardline.audit';
/** The topic of signed tree heads. */
export const CHECKPOINTS_TOPIC = 'wardline.checkpoints';
/** The keyspace of wrapped data-encryption keys: one table per contract and class, so that a grant can end at a class. */
export const KEYS_KEYSPACE = 'wardline_keys';
/** The keyspace in which the audit log is kept in order. It belongs to break-glass, whatever is in it. */
export const AUDIT_KEYSPACE = 'audit';

/** The consumer group in which the workers of one contract share its topic. */
export function workerGroup(contractId: string): string {
  return `wardline.worker.${contractId}`;
}

/**
 * The consumer group of a principal that reads for itself. Its rights cover every group whose name begins with this,
 * so that two readers side by side can each have a group of their own (`wardline.operator.<something>`).
 */
export function ownGroup(principal: PrincipalName): string {
  return `wardline.${principal}`;
}
