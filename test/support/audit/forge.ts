import { readFileSync, rmSync } from 'node:fs';
import type { Client } from 'cassandra-driver';
import { EVENT_TYPE } from '../../../audit/event/sign-event.ts';
import { signJws } from '../../../audit/signature/jws.ts';
import { signingKey } from '../../../audit/signature/signing-key.ts';
import { payloadOf } from '../../../audit/store/columns.ts';
import { readTopic, topicBounds } from '../../../audit/topic/read-topic.ts';
import { canonicalJson } from '../../../core/encoding/canonical-json.ts';
import type { Connection } from '../../../core/connection.ts';
import type { Home } from '../../../core/home.ts';
import type { JsonValue } from '../../../core/record.ts';
import { AUDIT_TABLES } from '../../../security/audit-keyspace/tables.ts';
import { accessOf } from '../../../security/connect/access.ts';
import { kafkaClient } from '../../../security/connect/kafka/kafka.ts';
import { AUDIT_TOPIC, CHECKPOINTS_TOPIC, type PrincipalName } from '../../../security/principals/names.ts';
import { provisionKafka } from '../../../stack/bootstrap/kafka-access.ts';

const MESSAGES_AT_ONCE = 1000;

/** Every message of the audit topic, in order. */
export async function messagesOf(connection: Connection): Promise<Buffer[]> {
  const reader = { kafka: kafkaClient(connection, 'auditor'), principal: 'auditor' } as const;
  const messages: Buffer[] = [];
  const { high } = (await topicBounds(reader, AUDIT_TOPIC)) ?? { high: 0 };
  await readTopic(reader, AUDIT_TOPIC, { from: 0, to: high }, (batch) => {
    for (const { value } of batch) messages.push(value ?? Buffer.alloc(0));
  });
  return messages;
}

/** The same event with other members, signed by its actor's own key: its signature holds. */
export function retold(connection: Connection, actor: PrincipalName, message: Buffer, more: object): Buffer {
  const payload = canonicalJson({ ...payloadOf(message), ...more } as JsonValue);
  const key = signingKey(actor, readFileSync(accessOf(connection, actor).signingKey, 'utf8'));
  return Buffer.from(signJws(payload, key, EVENT_TYPE));
}

/**
 * Removes the audit log from everywhere, with the rights of break-glass and of the home's owner, and puts these messages
 * onto a new audit topic: a notary then makes the whole log anew, and signs it with its real key.
 */
export async function replaceLog(
  home: Home,
  connection: Connection,
  client: Client,
  messages: readonly Buffer[],
): Promise<void> {
  const kafka = kafkaClient(connection, 'break-glass');
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [AUDIT_TOPIC, CHECKPOINTS_TOPIC] });
  await provisionKafka(admin);
  await admin.disconnect();
  for (const table of Object.values(AUDIT_TABLES)) await client.execute(`TRUNCATE audit.${table}`);
  rmSync(home.paths.checkpoints, { recursive: true, force: true });
  rmSync(home.paths.verified, { force: true });
  const producer = kafka.producer();
  await producer.connect();
  for (let start = 0; start < messages.length; start += MESSAGES_AT_ONCE) {
    const batch = messages.slice(start, start + MESSAGES_AT_ONCE).map((value) => ({ value, partition: 0 }));
    await producer.send({ topic: AUDIT_TOPIC, acks: -1, messages: batch });
  }
  await producer.disconnect();
}
