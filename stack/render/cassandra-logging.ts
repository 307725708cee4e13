import { xmlText } from './xml.ts';

/** Kept of each log: this many rotated files of this size. The recorder must still find what it has not read yet. */
const FILE_SIZE = '10MB';
const FILES = 20;
/** The logger to which Cassandra's FileAuditLogger writes. */
const AUDIT_LOGGER = 'org.apache.cassandra.audit.FileAuditLogger';
/** Prints every certificate at each reading. */
const PEM_LOGGER = 'org.apache.cassandra.security.PEMReader';

/**
 * Clients decide what stands in an audit message (a statement, the name at a login), and may put line breaks into it.
 * They become spaces: every line is one that Cassandra began.
 */
const ONE_LINE = String.raw`%replace(%m){'[\r\n]+', ' '}`;

/** logback.xml of Cassandra: one rotated log for the server, a separate one for its audit lines. */
export function cassandraLogging(serverLog: string, auditLog: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<configuration scan="false">
${rollingFile('server', serverLog, '%m')}
${rollingFile('audit', auditLog, ONE_LINE)}
  <logger name="${AUDIT_LOGGER}" level="INFO" additivity="false"><appender-ref ref="audit"/></logger>
  <logger name="${PEM_LOGGER}" level="WARN"/>
  <root level="INFO"><appender-ref ref="server"/></root>
</configuration>
`;
}

/** logback.xml of nodetool: silent, since what it has to say is on its standard output. */
export function silentLogging(): string {
  return '<?xml version="1.0" encoding="UTF-8"?>\n<configuration><root level="OFF"/></configuration>\n';
}

function rollingFile(name: string, path: string, message: string): string {
  return `  <appender name="${name}" class="ch.qos.logback.core.rolling.RollingFileAppender">
    <file>${xmlText(path)}</file>
    <rollingPolicy class="ch.qos.logback.core.rolling.FixedWindowRollingPolicy">
      <fileNamePattern>${xmlText(path)}.%i</fileNamePattern>
      <minIndex>1</minIndex>
      <maxIndex>${FILES}</maxIndex>
    </rollingPolicy>
    <triggeringPolicy class="ch.qos.logback.core.rolling.SizeBasedTriggeringPolicy"><maxFileSize>${FILE_SIZE}</maxFileSize></triggeringPolicy>
    <encoder><pattern>%d{yyyy-MM-dd'T'HH:mm:ss.SSS, UTC}Z %p ${message} \\(%c\\)%n</pattern></encoder>
  </appender>`;
}
