import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventsInOrder, newestEvents } from '../../../audit/query/query.ts';
import { latestCheckpoint } from '../../../audit/store/checkpoints.ts';
import { readEvent } from '../../../audit/store/events.ts';
import { topicBounds } from '../../../audit/topic/read-topic.ts';
import { sleep } from '../../../core/clock.ts';
import { loadSettings } from '../../../core/configuration.ts';
import type { Connection } from '../../../core/connection.ts';
import { openOrCreateHome, type Home } from '../../../core/home.ts';
import { cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import { kafkaClient } from '../../../security/connect/kafka/kafka.ts';
import { AUDIT_TOPIC } from '../../../security/principals/names.ts';
import { startStack, stopStack } from '../../../stack/index.ts';
import { percentile } from '../figure.ts';
import { actEvents, fillAuditTopic } from '../rig/audit-log.ts';
import { startCommand, type Command } from '../rig/command.ts';
import type { Part } from './part.ts';

/** Events before those that are measured: a server that has just started compiles its own code beside the work. */
const FIRST = 100_000;
const BACKLOG = 300_000;
const WHOLE = 1_000_000;
const PER_SECOND = 200;
const LATENCY_SECONDS = 20;
const POLL_MILLISECONDS = 5;
const QUERIES = 9;

/** The audit log: how fast the notary is, how soon an event can be asked for, and what verifying and proving takes. */
export const audit: Part = async (rig) => {
  const home = openOrCreateHome(mkdtempSync(join(rig.folder, 'audit-')));
  const connection = await startStack(home, loadSettings(home), () => undefined, undefined, []);
  const client = cassandraClient(connection, 'auditor');
  try {
    const events = actEvents(home, connection);
    rig.report(`the first ${FIRST} events`);
    const first = await notarized(home, client, connection, events, FIRST);
    first.notary.stop();
    await first.notary.finished;
    rig.report(`${BACKLOG} events`);
    const { notary, seconds } = await notarized(home, client, connection, events, BACKLOG);
    rig.report(`events at ${PER_SECOND} a second`);
    const latencies = await visibility(client, connection, events);
    rig.report(`filling up to ${WHOLE} events`);
    await fillAuditTopic(connection, events, WHOLE - FIRST - BACKLOG - latencies.length);
    await untilSigned(client, connection);
    rig.report('verifying, querying, proving');
    const verified = await startCommand(home.path, ['audit', 'verify']).finished;
    const report = JSON.parse(verified.stdout) as {
      readonly seconds: number;
      readonly epochs: readonly { readonly events: number }[];
    };
    const proof = join(rig.folder, 'bench.tlog-proof');
    const proved = await startCommand(home.path, ['audit', 'prove', '4711', '--out', proof]).finished;
    const key = join(rig.folder, 'bench.key');
    const keys = JSON.parse((await startCommand(home.path, ['audit', 'key']).finished).stdout) as {
      readonly keys: readonly string[];
    };
    writeFileSync(key, `${keys.keys.join('\n')}\n`);
    const checked = await startCommand(home.path, ['audit', 'check-proof', proof, '--key', key]).finished;
    const queried = await queryTimes(client);
    notary.stop();
    await notary.finished;
    const count = report.epochs.reduce((sum, epoch) => sum + epoch.events, 0);
    return {
      measured: true,
      how:
        `a stack of its own; after the first ${FIRST} events, ${BACKLOG} signed events of single acts, ${events[0]?.length ?? 0} bytes each, on the topic, from the start of \`wardline notary\` until a checkpoint over all of them stands in Cassandra; ` +
        `then ${PER_SECOND} events a second, each asked for until a query finds it; then ${WHOLE} events: the commands, whole, as a user starts them, with resident memory watched`,
      figures: [
        {
          name: 'notary: stored, indexed, signed',
          value: BACKLOG / seconds,
          unit: 'events/s',
          target: { atLeast: 20_000 },
        },
        { name: 'acknowledged → visible, p99', value: percentile(latencies, 99), unit: 'ms', target: { atMost: 1000 } },
        { name: 'audit verify', value: count / report.seconds, unit: 'events/s', target: { atLeast: 60_000 } },
        { name: 'audit verify, memory', value: verified.peakMegabytes, unit: 'MB', target: { atMost: 300 } },
        { name: 'two filters, first page, slowest', value: Math.max(...queried), unit: 'ms', target: { atMost: 500 } },
        { name: 'audit prove, whole command', value: proved.seconds, unit: 's', target: { atMost: 1 } },
        { name: 'audit check-proof, whole command', value: checked.seconds, unit: 's', target: { atMost: 1 } },
      ],
      absolutes: [
        { name: `notary: the first ${FIRST}, on servers just started`, value: FIRST / first.seconds, unit: 'events/s' },
        { name: 'acknowledged → visible, p50', value: percentile(latencies, 50), unit: 'ms' },
        { name: 'events verified', value: count, unit: 'events' },
      ],
    };
  } finally {
    await client.shutdown();
    await stopStack(home, { wipe: true });
  }
};

type Client = ReturnType<typeof cassandraClient>;

/** Puts so many events on the topic, starts a notary, and waits until it has stored and signed them. */
async function notarized(
  home: Home,
  client: Client,
  connection: Connection,
  events: readonly Buffer[],
  count: number,
): Promise<{ readonly notary: Command; readonly seconds: number }> {
  await fillAuditTopic(connection, events, count);
  const notary = startCommand(home.path, ['notary']);
  return { notary, seconds: await untilSigned(client, connection) };
}

/** Seconds until a checkpoint over all that stands on the topic now is kept. */
async function untilSigned(client: Client, connection: Connection): Promise<number> {
  const began = performance.now();
  const topic = { kafka: kafkaClient(connection, 'auditor'), principal: 'auditor' } as const;
  const { high } = (await topicBounds(topic, AUDIT_TOPIC)) ?? { high: 0 };
  // One small question until then: the servers share the machine with what is measured.
  while ((await readEvent(client, 1, high - 1)) === undefined) await sleep(POLL_MILLISECONDS * 20);
  while (((await latestCheckpoint(client, 1, high))?.size ?? 0) < high) await sleep(POLL_MILLISECONDS * 10);
  return (performance.now() - began) / 1000;
}

/** Milliseconds from the acknowledgement of each event until a query finds it. */
async function visibility(client: Client, connection: Connection, events: readonly Buffer[]): Promise<number[]> {
  const producer = kafkaClient(connection, 'worker').producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const began = performance.now();
  const waits: Promise<number>[] = [];
  for (let number = 0; number < PER_SECOND * LATENCY_SECONDS; number += 1) {
    await sleep(began + (number * 1000) / PER_SECOND - performance.now());
    const value = events[number % events.length] ?? Buffer.alloc(0);
    const [answer] = await producer.send({ topic: AUDIT_TOPIC, acks: -1, messages: [{ value, partition: 0 }] });
    waits.push(seen(client, Number(answer?.baseOffset)));
  }
  await producer.disconnect();
  return Promise.all(waits);
}

async function seen(client: Client, sequence: number): Promise<number> {
  const acknowledged = performance.now();
  for (;;) {
    const found = eventsInOrder({ client, epoch: 1, filter: { actor: 'worker' } }, sequence, sequence + 1);
    for await (const _ of found) return performance.now() - acknowledged;
    await sleep(POLL_MILLISECONDS * 4);
  }
}

/** Milliseconds for the first fifty events that fit two filters, some of them rare. */
async function queryTimes(client: Client): Promise<number[]> {
  const times: number[] = [];
  for (let number = 0; number < QUERIES; number += 1) {
    const filter = {
      action: 'read.open',
      objectId: `home-${2 * number}`,
      outcome: number % 3 === 0 ? 'denied' : 'success',
    };
    const began = performance.now();
    let found = 0;
    for await (const _ of newestEvents({ client, epoch: 1, filter })) if ((found += 1) === 50) break;
    times.push(performance.now() - began);
  }
  return times;
}
