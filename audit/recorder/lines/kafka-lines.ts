import { known, nameOf, type LineMeaning } from '../act.ts';
import type { LogEntry } from './entry.ts';

const NETWORK = 'org.apache.kafka.common.network.Selector';

/**
 * What the server's log says of connections that it refuses. Kafka names an address and a reason there, and no
 * principal: nobody has logged in yet. The channel's id begins with the address of the listener.
 */
const CONNECTION =
  /^\[SocketServer listenerType=\w+, nodeId=\d+\] (Failed authentication with|Unexpected error from) [^ ]*\/([\w.:%]+) \(channelId=([\w.:%-]*?:\d+)-[^ )]*\)(?: \((.*)\)|; closing connection)$/s;

/** Why a connection was refused, by what Kafka calls it; the first that fits. */
const REFUSALS: readonly { readonly when: RegExp; readonly code: string }[] = [
  { when: /^Failed authentication with SSL handshake failed/, code: 'TLS_HANDSHAKE_FAILED' },
  { when: /^Failed authentication with /, code: 'SASL_LOGIN_FAILED' },
  // A client that does not even begin to log in, or speaks another protocol.
  { when: /^Unexpected error from /, code: 'PROTOCOL_VIOLATED' },
];

/** A line of `kafka.log`: all kinds of things, among them refused connections. */
export function kafkaServerLine({ message, logger }: LogEntry): LineMeaning {
  const [, event, address, listener, reason = ''] = CONNECTION.exec(message) ?? [];
  if (logger !== NETWORK || address === undefined || listener === undefined) return 'none';
  const code = REFUSALS.find(({ when }) => when.test(`${event ?? ''} ${reason}`))?.code;
  return {
    action: 'server.login',
    object: { type: 'kafka', id: nameOf(listener) },
    ...{ outcome: 'denied', code },
    details: { address: nameOf(address) },
  };
}

/** Everything before the resource's name is Kafka's own; that name is the client's, and reaches to the last ` for request = `. */
const DECISION =
  /^Principal = (.+?) is (Denied|Allowed) operation = (\w+) from host = ([\w.:%/]+) on resource = (\w+):(?:\w+):(.*)$/s;
const REQUEST = ' for request = ';

const RESOURCES: Readonly<Record<string, string>> = {
  Topic: 'topic',
  Group: 'group',
  Cluster: 'cluster',
  TransactionalId: 'transactional-id',
  DelegationToken: 'delegation-token',
  User: 'user',
};

/** A line of `kafka-authorizer.log`: an operation that was denied to a principal that had logged in. */
export function kafkaAuthorizerLine({ message }: LogEntry): LineMeaning {
  const [, principal, decision, operation, address, resource, rest = ''] = DECISION.exec(message) ?? [];
  if (principal === undefined || resource === undefined || address === undefined) return 'unreadable';
  if (decision === 'Allowed') return 'none';
  const end = rest.lastIndexOf(REQUEST);
  const request = end === -1 ? undefined : /^\w+/.exec(rest.slice(end + REQUEST.length))?.[0];
  return {
    action: 'server.access',
    object: { type: RESOURCES[resource] ?? nameOf(resource), id: nameOf(end === -1 ? rest : rest.slice(0, end)) },
    ...{ outcome: 'denied', code: 'PERMISSION_DENIED' },
    details: known({
      principal: nameOf(principal.replace(/^User:/, '')),
      address: nameOf(address),
      ...{ operation, request },
    }),
  };
}
