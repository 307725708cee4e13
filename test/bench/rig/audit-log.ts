import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Connection } from '../../../core/connection.ts';
import { systemClock } from '../../../core/clock.ts';
import type { Home } from '../../../core/home.ts';
import { createEventSigner } from '../../../audit/event/sign-event.ts';
import { accessOf } from '../../../security/connect/access.ts';
import { kafkaClient } from '../../../security/connect/kafka/kafka.ts';
import { AUDIT_TOPIC } from '../../../security/principals/names.ts';

/** Distinct events that are sent again and again: signing each anew would measure the signing. */
const DISTINCT = 10_000;
const EVENTS_PER_REQUEST = 500;

/**
 * Signed events of single acts, as come in large numbers (windows of records do not): each with a trace of its own, one
 * in a thousand denied.
 */
export function actEvents(home: Home, connection: Connection): readonly Buffer[] {
  const sign = createEventSigner({
    principal: 'worker',
    host: 'bench',
    install: home.install,
    signingKeyPem: readFileSync(accessOf(connection, 'worker').signingKey, 'utf8'),
    clock: systemClock,
  });
  return Array.from({ length: DISTINCT }, (_, number) =>
    sign({
      action: number % 2 === 0 ? 'read.open' : 'keys.check',
      object: { type: 'subject', id: `home-${number % 50}` },
      outcome: number % 1000 === 0 ? 'denied' : 'success',
      counts: { rows: number },
      traceId: randomBytes(16).toString('hex'),
    }),
  );
}

/** Puts so many events on the audit topic. */
export async function fillAuditTopic(connection: Connection, events: readonly Buffer[], count: number): Promise<void> {
  const producer = kafkaClient(connection, 'worker').producer({ allowAutoTopicCreation: false });
  await producer.connect();
  try {
    for (let sent = 0; sent < count; sent += EVENTS_PER_REQUEST) {
      const messages = Array.from({ length: Math.min(EVENTS_PER_REQUEST, count - sent) }, (_, at) => ({
        value: events[(sent + at) % events.length] ?? Buffer.alloc(0),
        partition: 0,
      }));
      await producer.send({ topic: AUDIT_TOPIC, acks: -1, messages });
    }
  } finally {
    await producer.disconnect();
  }
}
