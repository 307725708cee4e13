/**
 * Every action that an audit event can state, `<object>.<verb>`, with what it means to an auditor.
 * The list is closed: an event with another action is refused when it is written and when it is read.
 */
export const AUDIT_ACTIONS = {
  'stage.source': 'a window of records was read from a source',
  'stage.check': 'a window of records was checked against the contract',
  'stage.seal': 'the sensitive values of a window of records were sealed',
  'stage.produce': 'a window of records was acknowledged by Kafka',
  'stage.consume': 'a window of records was read from Kafka and authenticated',
  'stage.transform': 'a window of records was converted into rows',
  'stage.store': 'a window of rows was acknowledged by Cassandra',
  'stage.dead-letter': 'records that cannot pass were kept as dead letters',
  'dead-letters.list': 'dead letters were listed, without their content',
  'dead-letters.show': 'a dead letter was opened',
  'dead-letters.replay': 'dead letters were sent again',
  'read.open': 'sealed fields of a data subject were opened, or their opening was refused',
  'keys.create': 'a data key is about to be stored; it comes to be unless another process stores that generation first',
  'keys.destroy': 'the keys of a data subject, or dead-letter keys whose letters are gone, were destroyed',
  'keys.list': 'keys were listed, without their values',
  'keys.check': 'keys were checked against their stores',
  'certs.mint': 'certificates and signing keys were made',
  'certs.rotate': 'certificates were replaced',
  'credentials.show': 'where a principal finds its credentials was told',
  'contract.apply':
    'a contract came into force, for the first time or changed, or its topics, tables and rights were made',
  'config.change':
    'the settings in force are not those that were last used here, or a run gives fields a value of its own',
  'principals.provision': 'principals and their access rights were set up on the servers',
  'break-glass.use': 'the super user was used, or where its credentials are was told',
  'stack.up': 'the embedded servers were started',
  'stack.down': 'the embedded servers were stopped',
  'stack.wipe': 'a home is about to be removed: keys, certificates and the data of its embedded servers',
  'server.login': 'a client logged in to a server, or was refused before it could',
  'server.access': 'a server refused an operation of a principal, or failed at it',
  'server.schema': 'a keyspace, table or other part of the schema was made, changed or dropped',
  'server.grant': 'a role or a right was given, changed or taken away',
  'server.query': 'stored data, or a list of roles and rights, was queried at a server',
  'recorder.start': "the recorder began to follow the servers' logs",
  'recorder.stop': 'the recorder ended',
  'recorder.gap': "lines of a server's log were lost before they were read, or cannot be read",
  'spool.broken': 'the spool misses an entry, or one was changed; what stands behind it is not on the log',
  'notary.start': 'a notary process began',
  'notary.stop': 'a notary process ended',
  'epoch.open': 'a new epoch of the audit log was opened, after the loss that its details state',
  'audit.query': 'events were listed or counted',
  'audit.show': 'one event was shown',
  'audit.record': 'the windows that touched a record were looked up and proved',
  'audit.verify': 'the audit log is about to be verified',
  'audit.prove': 'a proof of an event was made',
  'audit.checkpoint': 'the newest checkpoint was shown',
  'audit.key': 'the keys that checkpoints are verified with were shown',
  'audit.stats': 'figures of the audit log were shown',
  'source.start': 'a source process began',
  'source.stop': 'a source process ended',
  'worker.start': 'a worker process began',
  'worker.stop': 'a worker process ended',
} as const;

export type AuditAction = keyof typeof AUDIT_ACTIONS;

export function isAuditAction(text: string): text is AuditAction {
  return Object.hasOwn(AUDIT_ACTIONS, text);
}
