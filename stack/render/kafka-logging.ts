import { xmlText } from './xml.ts';

/** Kept log: this many files of this size, for each of the two logs. */
const FILE_SIZE = '10MB';
const FILES = 5;

/**
 * log4j2.xml of Kafka: one rotated log for the server, a separate one for what its authorizer denied
 * (and, at debug level, allowed: kept out here, since it would be a line a request).
 */
export function kafkaLogging(serverLog: string, authorizerLog: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="ERROR">
  <Appenders>
${rollingFile('server', serverLog)}
${rollingFile('authorizer', authorizerLog)}
  </Appenders>
  <Loggers>
    <Logger name="kafka.authorizer.logger" level="INFO" additivity="false"><AppenderRef ref="authorizer"/></Logger>
    <Root level="INFO"><AppenderRef ref="server"/></Root>
  </Loggers>
</Configuration>
`;
}

function rollingFile(name: string, path: string): string {
  return `    <RollingFile name="${name}" fileName="${xmlText(path)}" filePattern="${xmlText(path)}.%i" filePermissions="rw-------">
      <PatternLayout pattern="%d{yyyy-MM-dd'T'HH:mm:ss.SSS}{UTC}Z %p %m (%c)%n"/>
      <Policies><SizeBasedTriggeringPolicy size="${FILE_SIZE}"/></Policies>
      <DefaultRolloverStrategy max="${FILES}"/>
    </RollingFile>`;
}
