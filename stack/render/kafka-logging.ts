import { xmlText } from './xml.ts';

/** Kept of each log: this many rotated files of this size. The recorder must still find what it has not read yet. */
const FILE_SIZE = '10MB';
const FILES = 20;

/**
 * Clients decide what stands in many a message (names of topics and groups, client ids), and may put line breaks into
 * it. So a line that begins with a time is always one that Kafka began: further lines of a message, and those of an
 * exception, are indented.
 */
const MANY_LINES = String.raw`%replace{%m}{\R}{$0    } (%c)%n%replace{%xEx}{(?m)^(?=.)}{    }`;
/** As above, but a message is one line, whatever is in it: what ends it is read as well. */
const ONE_LINE = '%enc{%m}{CRLF} (%c)%n';

/**
 * log4j2.xml of Kafka: one rotated log for the server, a separate one for what its authorizer denied
 * (and, at debug level, allowed: kept out here, since it would be a line a request).
 */
export function kafkaLogging(serverLog: string, authorizerLog: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="ERROR">
  <Appenders>
${rollingFile('server', serverLog, MANY_LINES)}
${rollingFile('authorizer', authorizerLog, ONE_LINE)}
  </Appenders>
  <Loggers>
    <Logger name="kafka.authorizer.logger" level="INFO" additivity="false"><AppenderRef ref="authorizer"/></Logger>
    <Root level="INFO"><AppenderRef ref="server"/></Root>
  </Loggers>
</Configuration>
`;
}

function rollingFile(name: string, path: string, message: string): string {
  return `    <RollingFile name="${name}" fileName="${xmlText(path)}" filePattern="${xmlText(path)}.%i" filePermissions="rw-------">
      <PatternLayout alwaysWriteExceptions="false" pattern="%d{yyyy-MM-dd'T'HH:mm:ss.SSS}{UTC}Z %p ${message}"/>
      <Policies><SizeBasedTriggeringPolicy size="${FILE_SIZE}"/></Policies>
      <DefaultRolloverStrategy max="${FILES}" fileIndex="min"/>
    </RollingFile>`;
}
