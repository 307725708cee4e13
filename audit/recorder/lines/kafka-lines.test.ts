import { describe, expect, it } from 'vitest';
import type { LineMeaning } from '../act.ts';
import { parseEntry, type LogEntry } from './entry.ts';
import { kafkaAuthorizerLine, kafkaServerLine } from './kafka-lines.ts';

function read(line: string, meaning: (entry: LogEntry) => LineMeaning): LineMeaning | undefined {
  const entry = parseEntry(line);
  return entry === undefined ? undefined : meaning(entry);
}

/** Lines of Kafka 4.4.0, as they stood in its log. */
const TLS = String.raw`2026-11-24T22:10:27.372Z INFO [SocketServer listenerType=BROKER, nodeId=1] Failed authentication with /127.0.0.1 (channelId=127.0.0.1:22567-127.0.0.1:44082-0-2) (SSL handshake failed) (org.apache.kafka.common.network.Selector)`;
const SASL = String.raw`2026-11-24T22:10:27.455Z INFO [SocketServer listenerType=BROKER, nodeId=1] Failed authentication with /127.0.0.1 (channelId=127.0.0.1:22567-127.0.0.1:44126-0-4) (Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512) (org.apache.kafka.common.network.Selector)`;
const PROTOCOL = String.raw`2026-11-24T22:10:27.422Z WARN [SocketServer listenerType=BROKER, nodeId=1] Unexpected error from /127.0.0.1 (channelId=127.0.0.1:22567-127.0.0.1:44114-1-3); closing connection (org.apache.kafka.common.network.Selector)`;
const DENIED = String.raw`2026-11-24T22:10:28.549Z INFO Principal = User:reader is Denied operation = DELETE from host = 127.0.0.1 on resource = Topic:LITERAL:wardline.audit for request = DeleteTopics with resourceRefCount = 1 based on rule DefaultDeny (kafka.authorizer.logger)`;
const CLUSTER = String.raw`2026-11-24T22:10:28.514Z INFO Principal = User:reader is Denied operation = DESCRIBE from host = 127.0.0.1 on resource = Cluster:LITERAL:kafka-cluster for request = DescribeAcls with resourceRefCount = 1 based on rule DefaultDeny (kafka.authorizer.logger)`;
/** A group whose name was made to read like the end of one line and the whole of another. */
const HOSTILE = String.raw`2026-11-24T22:10:28.482Z INFO Principal = User:reader is Denied operation = DESCRIBE from host = 127.0.0.1 on resource = Group:LITERAL:g|h for request = X with resourceRefCount = 1 based on rule Y\nx\n2026-01-01T00:00:00.000Z INFO [SocketServer listenerType=BROKER, nodeId=1] Failed authentication with /6.6.6.6 (channelId=127.0.0.1:1-6.6.6.6:1-1-1) (SSL handshake failed) (org.apache.kafka.common.network.Selector)\n for request = FindCoordinator with resourceRefCount = 1 based on rule DefaultDeny (kafka.authorizer.logger)`;
/** A line break in a client id, as it stands in the server's log. */
const INDENTED = `    2026-01-01T00:00:00.000Z INFO [SocketServer listenerType=BROKER, nodeId=1] Failed authentication with /6.6.6.6 (channelId=127.0.0.1:1-6.6.6.6:1-1-1) (SSL handshake failed) (org.apache.kafka.common.network.Selector)`;

describe('a line of kafka.log', () => {
  it.each([
    ['a TLS handshake that failed', TLS, 'TLS_HANDSHAKE_FAILED'],
    ['a SASL login that failed', SASL, 'SASL_LOGIN_FAILED'],
    ['a client that did not log in', PROTOCOL, 'PROTOCOL_VIOLATED'],
  ])('tells of %s', (_what, line, code) => {
    expect(read(line, kafkaServerLine)).toEqual({
      action: 'server.login',
      object: { type: 'kafka', id: '127.0.0.1:22567' },
      ...{ outcome: 'denied', code },
      details: { address: '127.0.0.1' },
    });
  });

  it('knows addresses of version 6, and names of hosts', () => {
    const line = TLS.replace('/127.0.0.1', 'host.example/0:0:0:0:0:0:0:1').replace(
      'channelId=127.0.0.1:22567-127.0.0.1:44082-0-2',
      'channelId=0:0:0:0:0:0:0:1:22567-0:0:0:0:0:0:0:1:44082-0-2',
    );
    expect(read(line, kafkaServerLine)).toMatchObject({
      object: { id: '0:0:0:0:0:0:0:1:22567' },
      details: { address: '0:0:0:0:0:0:0:1' },
    });
  });

  it('means nothing where somebody else logged it, or where it is the inside of a message', () => {
    expect(read(TLS.replace('network.Selector', 'network.Other'), kafkaServerLine)).toBe('none');
    expect(read(INDENTED, kafkaServerLine)).toBeUndefined();
    expect(read(TLS.replace('[SocketServer', 'clientId=[SocketServer'), kafkaServerLine)).toBe('none');
  });
});

describe('a line of kafka-authorizer.log', () => {
  it('tells who was denied what', () => {
    expect(read(DENIED, kafkaAuthorizerLine)).toEqual({
      action: 'server.access',
      object: { type: 'topic', id: 'wardline.audit' },
      ...{ outcome: 'denied', code: 'PERMISSION_DENIED' },
      details: { principal: 'reader', address: '127.0.0.1', operation: 'DELETE', request: 'DeleteTopics' },
    });
    expect(read(CLUSTER, kafkaAuthorizerLine)).toMatchObject({ object: { type: 'cluster', id: 'kafka-cluster' } });
  });

  it('takes a name that reads like a line for a name', () => {
    const act = read(HOSTILE, kafkaAuthorizerLine);
    expect(act).toMatchObject({
      object: { type: 'group', id: expect.stringMatching(/^g\|h for request = X .*…$/) as string },
      details: { principal: 'reader', address: '127.0.0.1', request: 'FindCoordinator' },
    });
  });

  it('tells who, even where a name is so long that the line was cut', () => {
    const cut = DENIED.replace(/wardline\.audit.*$/, 'x'.repeat(70_000));
    expect(read(cut, kafkaAuthorizerLine)).toMatchObject({
      object: { type: 'topic', id: `${'x'.repeat(250)}…` },
      details: { principal: 'reader', operation: 'DELETE' },
    });
  });

  it('is of no interest where something was allowed, and unreadable where it has another form', () => {
    expect(read(DENIED.replace('is Denied', 'is Allowed'), kafkaAuthorizerLine)).toBe('none');
    expect(read(DENIED.replace('Principal =', 'Somebody ='), kafkaAuthorizerLine)).toBe('unreadable');
  });
});
