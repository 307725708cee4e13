import type { LineMeaning } from './act.ts';
import { cassandraAuditLine } from './lines/cassandra-lines.ts';
import type { LogEntry } from './lines/entry.ts';
import { kafkaAuthorizerLine, kafkaServerLine } from './lines/kafka-lines.ts';

interface ServerLog {
  readonly meaning: (entry: LogEntry) => LineMeaning;
  /** What a line is that no server began: a message's further lines, or, in a log of one line each, unreadable. */
  readonly otherLines: 'none' | 'unreadable';
}

/** The logs that the recorder can follow, and how their lines are read. */
export const SERVER_LOGS = {
  kafka: { meaning: kafkaServerLine, otherLines: 'none' },
  'kafka-authorizer': { meaning: kafkaAuthorizerLine, otherLines: 'unreadable' },
  'cassandra-audit': { meaning: cassandraAuditLine, otherLines: 'unreadable' },
} as const satisfies Record<string, ServerLog>;

export type ServerLogName = keyof typeof SERVER_LOGS;

export const SERVER_LOG_NAMES = Object.keys(SERVER_LOGS) as ServerLogName[];
