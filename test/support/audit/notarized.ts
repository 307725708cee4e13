import { setTimeout as sleep } from 'node:timers/promises';
import { logEnd } from '../../../audit/query/query.ts';
import { topicBounds } from '../../../audit/topic/read-topic.ts';
import type { Connection } from '../../../core/connection.ts';
import { cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import { kafkaClient } from '../../../security/connect/kafka/kafka.ts';
import { AUDIT_TOPIC } from '../../../security/principals/names.ts';
import { startWardline, type WardlineOutcome } from '../wardline.ts';

const POLL = 100;
const PATIENCE = 60_000;

/** Runs a notary until everything that stands on the topic is stored, then stops it: what it took is signed. Throws where it ends otherwise. */
export async function notarized(
  home: string,
  connection: Connection,
  epoch = 1,
  flags: readonly string[] = [],
): Promise<WardlineOutcome> {
  const client = cassandraClient(connection, 'auditor');
  const topic = { kafka: kafkaClient(connection, 'auditor'), principal: 'auditor' } as const;
  const notary = startWardline(['notary', ...flags, '--home', home, '--json']);
  const ended = new AbortController();
  void notary.outcome.finally(() => ended.abort()).catch(() => undefined);
  const deadline = Date.now() + PATIENCE;
  try {
    // Its own start is an event: before that it has not taken anything.
    const { high } = (await topicBounds(topic, AUDIT_TOPIC)) ?? { high: 0 };
    while (!ended.signal.aborted && (await logEnd(client, epoch)) <= high) {
      if (Date.now() > deadline) throw new Error('the notary took a minute in vain');
      await sleep(POLL);
    }
  } finally {
    notary.stop();
    await client.shutdown();
  }
  const outcome = await notary.outcome;
  if (outcome.code !== 0) throw new Error(`the notary ended with ${outcome.code}: ${outcome.stderr}`);
  return outcome;
}
