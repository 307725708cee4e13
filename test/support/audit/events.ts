import { hostname } from 'node:os';
import { readFileSync } from 'node:fs';
import { createKafkaAuditLog } from '../../../audit/append/kafka-audit-log.ts';
import type { AuditLog, EventStatement } from '../../../audit/event/event.ts';
import { eventDocument } from '../../../audit/event/document.ts';
import { EVENT_TYPE } from '../../../audit/event/sign-event.ts';
import { signJws } from '../../../audit/signature/jws.ts';
import { signingKey } from '../../../audit/signature/signing-key.ts';
import { canonicalJson } from '../../../core/encoding/canonical-json.ts';
import { systemClock } from '../../../core/clock.ts';
import type { Connection } from '../../../core/connection.ts';
import type { Home } from '../../../core/home.ts';
import { accessOf } from '../../../security/connect/access.ts';
import { kafkaClient } from '../../../security/connect/kafka/kafka.ts';
import { AUDIT_TOPIC, type PrincipalName } from '../../../security/principals/names.ts';

/** The audit log as a principal. */
export function auditLogAs(home: Home, connection: Connection, principal: PrincipalName): AuditLog {
  return createKafkaAuditLog({
    kafka: kafkaClient(connection, principal),
    ...authorOf(home, principal),
    signingKeyPem: readFileSync(accessOf(connection, principal).signingKey, 'utf8'),
  });
}

/** Puts an event on the topic whose signature holds, but is not its actor's. */
export async function appendForeign(
  home: Home,
  connection: Connection,
  { signer, actor }: { readonly signer: PrincipalName; readonly actor: PrincipalName },
): Promise<void> {
  const statement = { action: 'keys.list', object: { type: 'test', id: 'foreign' }, outcome: 'success' } as const;
  const payload = canonicalJson(eventDocument(statement, authorOf(home, actor)));
  const key = signingKey(signer, readFileSync(accessOf(connection, signer).signingKey, 'utf8'));
  const producer = kafkaClient(connection, signer).producer();
  await producer.connect();
  await producer.send({ topic: AUDIT_TOPIC, messages: [{ value: signJws(payload, key, EVENT_TYPE) }] });
  await producer.disconnect();
}

function authorOf(home: Home, principal: PrincipalName) {
  return { principal, host: hostname(), install: home.install, clock: systemClock };
}

/** So many events of the operator, each with its number as the object's id. */
export function numberedEvents(count: number): EventStatement[] {
  return Array.from({ length: count }, (_, number) => ({
    action: 'keys.list',
    object: { type: 'test', id: `number-${number}` },
    outcome: number % 10 === 0 ? 'denied' : 'success',
    counts: { number },
  }));
}
