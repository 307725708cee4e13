import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeFileAtomic } from '../../core/files.ts';
import { principalAccess } from '../../security/certs/identities.ts';
import { stackLayout } from '../../stack/index.ts';
import { faultStack, type FaultStack } from '../support/faults/fault-stack.ts';
import { mutable, openToOthers, restartServers, weakSecurity, type Target } from '../support/faults/mutate.ts';
import { contractVariant } from '../support/inputs/contract-variant.ts';
import { wardline, wardlineOn } from '../support/wardline.ts';

/** A line of hardening that is taken away, and the check that must find it. */
interface Mutation {
  readonly what: string;
  readonly caughtBy: string;
  /** What it does to the files of the home, or to the servers. */
  readonly apply: (to: Target) => void | Promise<void>;
  readonly isPossible?: () => boolean;
}

const PATIENCE = 60_000;
let stack: FaultStack;

beforeAll(async () => {
  stack = await faultStack({}, []);
  const contract = contractVariant('smart-home', stack.folder, 'mutated');
  await wardlineOn(stack.home.path, ['contract', 'apply', contract.path]);
});
afterAll(() => stack.remove());

const CLIENT_AUTH = (listener: string): [string, string] => [
  `listener.name.${listener}.ssl.client.auth=required`,
  `listener.name.${listener}.ssl.client.auth=none`,
];
const protocol = (listener: string, to: string) => (target: Target) =>
  target.kafka(`${listener}:SASL_SSL`, `${listener}:${to}`);
/** Who has no node's certificate is refused by two lines: each of the others is only seen without it. */
const anyNode = (target: Target): void => target.cassandra(['internode_authenticator'], undefined);
/** The JVM itself refuses TLS 1.1: what a server is configured to speak comes after that. */
const WITHOUT_JVM_LIMITS = (target: Target, server: 'kafka' | 'cassandra'): void =>
  target.java(server, '"-server"', `"-server"\n"-Djava.security.properties=${weakSecurity(stack)}"`);
const TLS_1_1 = ['TLSv1.3', 'TLSv1.2', 'TLSv1.1'];
/** Of those that Cassandra offers unless told otherwise, none would do for TLS 1.1 and a key on a curve. */
const SUITES_1_1 = [
  ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'],
  ...['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA'],
];
const hasAddress = (): boolean =>
  Object.values(networkInterfaces())
    .flat()
    .some((one) => one?.internal === false && one.family === 'IPv4');

/** Those of one round leave one another alone: each is found by its own check. */
const ROUNDS: Readonly<Record<string, readonly Mutation[]>> = {
  'certificates of clients, and what needs no restart': [
    {
      what: 'Kafka asks clients for no certificate',
      caughtBy: 'kafka-client/no-certificate',
      apply: (to) => to.kafka(...CLIENT_AUTH('client')),
    },
    {
      what: 'Kafka asks brokers for no certificate',
      caughtBy: 'kafka-broker/no-certificate',
      apply: (to) => to.kafka(...CLIENT_AUTH('broker')),
    },
    {
      what: 'Kafka asks controllers for no certificate',
      caughtBy: 'kafka-controller/no-certificate',
      apply: (to) => to.kafka(...CLIENT_AUTH('controller')),
    },
    {
      what: 'Cassandra asks clients for no certificate',
      caughtBy: 'cassandra-client/no-certificate',
      apply: (to) => to.cassandra(['client_encryption_options', 'require_client_auth'], false),
    },
    {
      what: 'Cassandra asks nodes for no certificate',
      caughtBy: 'cassandra-internode/no-certificate',
      apply(to) {
        to.cassandra(['server_encryption_options', 'require_client_auth'], false);
        anyNode(to);
      },
    },
    {
      what: 'tables may be dropped',
      caughtBy: 'cassandra-guardrails/drop-table',
      apply: (to) => to.cassandra(['drop_truncate_table_enabled'], true),
    },
    {
      what: 'JMX asks for no login',
      caughtBy: 'jmx/anonymous',
      apply: (to) => to.java('cassandra', '"-Dcom.sun.management.jmxremote.authenticate=true"\n', ''),
    },
    {
      what: 'the worker reads keys',
      caughtBy: 'cassandra-rights/worker',
      apply: (to) => to.cql('GRANT SELECT ON ALL KEYSPACES TO worker'),
    },
    {
      what: 'the auditor changes the audit log',
      caughtBy: 'cassandra-rights/auditor',
      apply: (to) => to.cql('GRANT MODIFY ON KEYSPACE audit TO auditor'),
    },
    {
      what: 'a key can be read by others',
      caughtBy: 'files/modes',
      apply: () => openToOthers(stack, principalAccess(stack.home, 'reader').key, true),
    },
  ],
  'TLS between servers, super users, rights': [
    {
      what: 'brokers speak without TLS',
      caughtBy: 'kafka-broker/plaintext',
      apply: protocol('BROKER', 'SASL_PLAINTEXT'),
    },
    {
      what: 'controllers speak without TLS',
      caughtBy: 'kafka-controller/plaintext',
      apply: protocol('CONTROLLER', 'SASL_PLAINTEXT'),
    },
    {
      what: 'the worker is a super user',
      caughtBy: 'kafka-rights/worker/writes',
      apply: (to) => to.kafka('User:break-glass', 'User:break-glass;User:worker'),
    },
    {
      what: 'the operator is a super user',
      caughtBy: 'kafka-rights/operator/reconfigures',
      apply: (to) => to.kafka('User:break-glass', 'User:break-glass;User:operator'),
    },
    {
      what: 'the auditor is a super user',
      caughtBy: 'kafka-rights/auditor/empties',
      apply: (to) => to.kafka('User:break-glass', 'User:break-glass;User:auditor'),
    },
    {
      what: 'Cassandra speaks to clients without TLS, too',
      caughtBy: 'cassandra-client/plaintext',
      apply: (to) => to.cassandra(['client_encryption_options', 'optional'], true),
    },
    {
      what: 'Cassandra speaks to nodes without TLS, too',
      caughtBy: 'cassandra-internode/plaintext',
      apply(to) {
        to.cassandra(['server_encryption_options', 'optional'], true);
        anyNode(to);
      },
    },
    {
      what: 'the role that everybody knows may log in',
      caughtBy: 'cassandra-login/default',
      apply: (to) => to.cql("ALTER ROLE cassandra WITH PASSWORD = 'cassandra' AND LOGIN = true"),
    },
    {
      what: 'Cassandra asks for no rights',
      caughtBy: 'cassandra-rights/reader',
      apply: (to) => to.cassandra(['authorizer'], 'AllowAllAuthorizer'),
    },
  ],
  'logins, addresses': [
    { what: 'Kafka asks clients for no login', caughtBy: 'kafka-client/no-login', apply: protocol('CLIENT', 'SSL') },
    {
      what: 'Cassandra asks for no login',
      caughtBy: 'cassandra-client/no-login',
      apply: (to) => {
        to.cassandra(['authenticator'], 'AllowAllAuthenticator');
        to.cassandra(['authorizer'], 'AllowAllAuthorizer');
      },
    },
    { what: 'Cassandra takes any password', caughtBy: 'cassandra-login/wrong-password', apply: () => undefined },
    {
      what: 'every certificate of ours is a node of Cassandra',
      caughtBy: 'cassandra-internode/others-certificate',
      apply: anyNode,
    },
    {
      what: 'Kafka listens on every address',
      caughtBy: 'addresses/loopback',
      isPossible: hasAddress,
      apply: (to) => to.kafka('listeners=CLIENT://127.0.0.1', 'listeners=CLIENT://0.0.0.0'),
    },
  ],
  'versions of TLS, no authorizer': [
    {
      what: 'Kafka speaks TLS 1.1 with clients',
      caughtBy: 'kafka-client/tls-1.1',
      apply: (to) => {
        to.kafka('TLSv1.3,TLSv1.2', TLS_1_1.join());
        WITHOUT_JVM_LIMITS(to, 'kafka');
      },
    },
    { what: 'and with brokers', caughtBy: 'kafka-broker/tls-1.1', apply: () => undefined },
    {
      what: 'Cassandra speaks TLS 1.1 with clients',
      caughtBy: 'cassandra-client/tls-1.1',
      apply: (to) => {
        to.cassandra(['client_encryption_options', 'accepted_protocols'], TLS_1_1);
        to.cassandra(['client_encryption_options', 'cipher_suites'], SUITES_1_1);
        WITHOUT_JVM_LIMITS(to, 'cassandra');
      },
    },
    {
      what: 'Cassandra speaks TLS 1.1 with nodes',
      caughtBy: 'cassandra-internode/tls-1.1',
      apply: (to) => {
        to.cassandra(['server_encryption_options', 'accepted_protocols'], TLS_1_1);
        to.cassandra(['server_encryption_options', 'cipher_suites'], SUITES_1_1);
      },
    },
    {
      what: 'Kafka has no authorizer',
      caughtBy: 'kafka-rights/source/writes',
      apply: (to) => to.kafka('authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n', ''),
    },
  ],
};

it.each(Object.entries(ROUNDS))('the doctor finds each: %s', async (_round, mutations) => {
  const layout = stackLayout(stack.home);
  const files = [
    layout.kafka.properties,
    layout.kafka.options,
    layout.cassandra.configuration,
    layout.cassandra.options,
  ];
  const before = files.map((file) => readFileSync(file, 'utf8'));
  const possible = mutations.filter(({ isPossible }) => isPossible?.() !== false);
  try {
    const target = mutable(stack);
    for (const { apply } of possible) await apply(target);
    await restartServers(stack);
    const { json } = await wardline(['doctor', '--home', stack.home.path, '--json']);
    const checks = json['checks'] as readonly { id: string; state: string; evidence: string }[];
    const found = new Map(checks.map(({ id, state, evidence }) => [id, `${state}: ${evidence}`]));
    for (const { what, caughtBy } of possible)
      expect([what, found.get(caughtBy)]).toEqual([what, expect.stringMatching(/^failed/)]);
  } finally {
    files.forEach((file, index) => writeFileAtomic(file, before[index] ?? ''));
    openToOthers(stack, principalAccess(stack.home, 'reader').key, false);
  }
});

it('nothing once all of it is put right', async () => {
  await restartServers(stack);
  for (const statement of [
    'ALTER ROLE cassandra WITH LOGIN = false',
    'REVOKE SELECT ON ALL KEYSPACES FROM worker',
    'REVOKE MODIFY ON KEYSPACE audit FROM auditor',
  ])
    await mutable(stack).cql(statement);
  await expect
    .poll(async () => (await wardline(['doctor', '--home', stack.home.path, '--json'])).code, { timeout: PATIENCE })
    .toBe(0);
});

it('and these are not a few', () => {
  expect(Object.values(ROUNDS).flat().length).toBeGreaterThanOrEqual(25);
});
