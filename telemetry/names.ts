/**
 * Every name of a span, attribute and metric, and nothing else may be recorded: what is not in these tables is taken out
 * before it leaves the process (known-attributes.ts). Names follow the OpenTelemetry semantic conventions for messaging
 * and databases where those have one; the others begin with `wardline.`.
 */
export const SPAN_NAMES = {
  run: 'run',
  sourceBatch: 'source batch',
  workerWindow: 'worker window',
  source: 'stage source',
  check: 'stage check',
  seal: 'stage seal',
  produce: 'stage produce',
  consume: 'stage consume',
  transform: 'stage transform',
  store: 'stage store',
  deadLetter: 'stage dead-letter',
  auditAppend: 'audit append',
  commit: 'commit offsets',
  read: 'read',
} as const;

export type SpanName = (typeof SPAN_NAMES)[keyof typeof SPAN_NAMES];

export const ATTRIBUTES = {
  // Semantic conventions: messaging.
  messagingSystem: 'messaging.system',
  messagingOperation: 'messaging.operation.name',
  messagingOperationType: 'messaging.operation.type',
  messagingDestination: 'messaging.destination.name',
  messagingPartition: 'messaging.destination.partition.id',
  messagingOffset: 'messaging.kafka.offset',
  messagingBatchCount: 'messaging.batch.message_count',
  messagingConsumerGroup: 'messaging.consumer.group.name',
  // Semantic conventions: databases.
  dbSystem: 'db.system.name',
  dbNamespace: 'db.namespace',
  dbCollection: 'db.collection.name',
  dbOperation: 'db.operation.name',
  dbBatchSize: 'db.operation.batch.size',
  dbConsistency: 'cassandra.consistency.level',
  // Semantic conventions: general.
  errorType: 'error.type',
  // Our own: counts, ids and ranges only.
  contractId: 'wardline.contract.id',
  contractVersion: 'wardline.contract.version',
  principal: 'wardline.principal',
  stage: 'wardline.stage',
  recordsIn: 'wardline.records.in',
  recordsOut: 'wardline.records.out',
  deadLetters: 'wardline.dead_letters',
  deadLetterCode: 'wardline.dead_letter.code',
  duplicates: 'wardline.duplicates',
  warnings: 'wardline.warnings',
  sealedFields: 'wardline.sealed_fields',
  openedFields: 'wardline.opened_fields',
  keys: 'wardline.keys',
  bytes: 'wardline.bytes',
  batches: 'wardline.batches',
  attempt: 'wardline.attempt',
  events: 'wardline.audit.events',
  firstPosition: 'wardline.position.first',
  lastPosition: 'wardline.position.last',
  offsets: 'wardline.offsets',
  incarnation: 'wardline.incarnation',
} as const;

export type AttributeName = (typeof ATTRIBUTES)[keyof typeof ATTRIBUTES];

/** Attributes as a span or a measurement takes them: known names only. */
export type KnownAttributes = Readonly<Partial<Record<AttributeName, string | number | boolean | readonly string[]>>>;

/** Durations in seconds, as the semantic conventions have them. */
export const METRICS = {
  records: { name: 'wardline.stage.records', unit: '{record}', description: 'Records that left a stage' },
  stageDuration: {
    name: 'wardline.stage.duration',
    unit: 's',
    description: 'Time a stage took for one window or batch',
  },
  deadLetters: {
    name: 'wardline.dead_letters',
    unit: '{record}',
    description: 'Records kept as dead letters, by code',
  },
  sealedFields: { name: 'wardline.sealed_fields', unit: '{field}', description: 'Values sealed' },
  sealDuration: { name: 'wardline.seal.duration', unit: 's', description: 'Time to seal one batch' },
  lag: { name: 'wardline.consumer.lag', unit: '{message}', description: 'Messages of a partition not yet stored' },
  latency: { name: 'wardline.latency', unit: 's', description: 'From accepted by the source to stored' },
  auditDuration: {
    name: 'wardline.audit.duration',
    unit: 's',
    description: 'Time until an audit event was acknowledged',
  },
  auditWaits: {
    name: 'wardline.audit.waits',
    unit: '{attempt}',
    description: 'Appends of audit events that must be tried again',
  },
  retries: { name: 'wardline.stage.retries', unit: '{attempt}', description: 'Attempts that failed and were repeated' },
  sent: { name: 'messaging.client.sent.messages', unit: '{message}', description: 'Messages acknowledged by Kafka' },
  consumed: { name: 'messaging.client.consumed.messages', unit: '{message}', description: 'Messages read from Kafka' },
  messagingDuration: {
    name: 'messaging.client.operation.duration',
    unit: 's',
    description: 'Time of one request to Kafka',
  },
  archiveLag: {
    name: 'wardline.archive.lag',
    unit: 's',
    description: 'Age of the oldest message that the log archive does not hold yet',
  },
  archived: { name: 'wardline.archive.messages', unit: '{message}', description: 'Messages sealed in the log archive' },
  archivedBytes: { name: 'wardline.archive.bytes', unit: 'By', description: 'Bytes of messages sealed in the archive' },
  archiveGaps: {
    name: 'wardline.archive.gaps',
    unit: '{gap}',
    description: 'Times that a topic went on elsewhere than where it was archived up to',
  },
  drillRpo: {
    name: 'wardline.drill.rpo',
    unit: 's',
    description: 'Time until the log archive held a message, as the last drill measured it',
  },
  drillRto: {
    name: 'wardline.drill.rto',
    unit: 's',
    description: 'Time until new servers served what was restored, as the last drill measured it',
  },
  drills: { name: 'wardline.drills', unit: '{drill}', description: 'Recovery drills, by outcome' },
  databaseDuration: {
    name: 'db.client.operation.duration',
    unit: 's',
    description: 'Time of one request to Cassandra',
  },
} as const;
