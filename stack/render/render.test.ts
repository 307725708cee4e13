import { parse } from 'yaml';
import { expect, it } from 'vitest';
import { cassandraLogging } from './cassandra-logging.ts';
import { cassandraYaml } from './cassandra-yaml.ts';
import { javaOptions } from './java-options.ts';
import { jmxAccessFile, jmxPasswordFile } from './jmx-login.ts';
import { kafkaLogging } from './kafka-logging.ts';
import { kafkaProperties } from './kafka-properties.ts';

const PROPERTIES = parseProperties(
  kafkaProperties({
    nodeId: 3,
    bindHost: '0.0.0.0',
    advertisedHost: 'kafka.example',
    quorum: ['kafka.example', 'kafka-2.example', 'kafka-3.example'],
    ports: { client: 1001, broker: 1002, controller: 1003 },
    dataFolder: 'C:\\data',
    keyStore: '/keys/tls.pem',
    trustStore: '/keys/trust.crt',
    password: 'the-password',
    superUsers: ['break-glass'],
  }),
);

function parseProperties(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

it.each(['client', 'broker', 'controller'])('the %s listener needs a certificate by its own name', (listener) => {
  expect(PROPERTIES[`listener.name.${listener}.ssl.client.auth`]).toBe('required');
});

it('no listener speaks anything but TLS with SASL', () => {
  expect(PROPERTIES['listener.security.protocol.map']).toBe('CLIENT:SASL_SSL,BROKER:SASL_SSL,CONTROLLER:SASL_SSL');
  expect(PROPERTIES['listeners']).toBe('CLIENT://0.0.0.0:1001,BROKER://0.0.0.0:1002,CONTROLLER://0.0.0.0:1003');
  expect(PROPERTIES['advertised.listeners']).toContain('CLIENT://kafka.example:1001');
  expect(PROPERTIES['ssl.enabled.protocols']).toBe('TLSv1.3,TLSv1.2');
});

it('denies by default, makes no topics by itself and stamps by its own clock', () => {
  expect(PROPERTIES).toMatchObject({
    'allow.everyone.if.no.acl.found': 'false',
    'auto.create.topics.enable': 'false',
    'log.message.timestamp.type': 'LogAppendTime',
    'super.users': 'User:kafka;User:break-glass',
  });
});

it('escapes what a properties file would take for an escape', () => {
  expect(PROPERTIES['log.dirs']).toBe('C:\\\\data');
});

it('Cassandra requires certificates, logins and permissions, and is durable before it answers', () => {
  const yaml: unknown = parse(
    cassandraYaml({
      clusterName: 'a: "cluster"',
      host: '127.0.0.1',
      seeds: ['127.0.0.1:7000'],
      ports: { client: 9042, internode: 7000 },
      tokens: 1,
      dataFolder: '/data #1',
      commitLogFolder: '/log',
      keyStore: '/k',
      trustStore: '/t',
      peers: ['spiffe://a/1', 'spiffe://a/2'],
    }),
  );
  expect(yaml).toMatchObject({
    cluster_name: 'a: "cluster"',
    data_file_directories: ['/data #1/tables'],
    client_encryption_options: { enabled: true, optional: false, require_client_auth: true },
    server_encryption_options: { internode_encryption: 'all', optional: false, require_client_auth: true },
    internode_authenticator: { parameters: { trusted_peer_identities: 'spiffe://a/1,spiffe://a/2' } },
    authenticator: 'PasswordAuthenticator',
    authorizer: 'CassandraAuthorizer',
    commitlog_sync: 'group',
    drop_truncate_table_enabled: false,
    drop_keyspace_enabled: false,
    audit_logging_options: { included_categories: 'AUTH,DDL,DCL,ERROR,QUERY', excluded_keyspaces: '-' },
  });
});

it('a file of java arguments takes any path as one argument', () => {
  expect(javaOptions(['-Da=/a folder/"b"\\c', 'Main'])).toBe('"-Da=/a folder/\\"b\\"\\\\c"\n"Main"\n');
});

it('the logging files are well-formed for any path', () => {
  for (const xml of [kafkaLogging('/a&b/"<k>', '/z'), cassandraLogging('/a&b/"<k>', '/z')]) {
    expect(xml).toContain('/a&amp;b/&quot;&lt;k&gt;');
    expect(xml).not.toContain('a&b');
  }
});

it('no message begins a line of a log that the recorder reads, whatever a client puts into it', () => {
  const patterns = [...kafkaLogging('/k', '/a').matchAll(/ pattern="([^"]*)"/g)].map(([, pattern]) => pattern);
  expect(patterns).toEqual([
    expect.stringContaining(String.raw`%p %replace{%m}{\R}{$0    } (%c)%n%replace{%xEx}`),
    expect.stringContaining('%p %enc{%m}{CRLF} (%c)%n'),
  ]);
  expect(kafkaLogging('/k', '/a').match(/alwaysWriteExceptions="false"/g)).toHaveLength(2);
  expect(cassandraLogging('/c', '/a')).toContain(String.raw`%p %replace(%m){'[\r\n]+', ' '} \(%c\)%n</pattern>`);
});

it('a JMX login stands in both files', () => {
  const logins = [{ name: 'wardline', password: 'secret' }];
  expect(jmxPasswordFile(logins)).toBe('wardline secret\n');
  expect(jmxAccessFile(logins)).toBe('wardline readwrite\n');
});
