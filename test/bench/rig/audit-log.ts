import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Connection } from '../../../core/connection.ts';
import { systemClock } from '../../../core/clock.ts';
import type { Home } from '../../../core/home.ts';
import { createEventSigner } from '../../../audit/sign-event.ts';
import { stageWindowStatement } from '../../../audit/window.ts';
import { accessOf } from '../../../security/connect/access.ts';
import { kafkaClient } from '../../../security/connect/kafka.ts';
import { AUDIT_TOPIC } from '../../../security/principals/names.ts';

/** Distinct events that are sent again and again: signing each anew would measure the signing. */
const DISTINCT = 10_000;
const EVENTS_PER_REQUEST = 500;
const STAGES = ['consume', 'transform', 'store'] as const;

/** Signed windows of a worker, as large as those of a real one; each with a trace of its own, one in a thousand denied. */
export function windowEvents(home: Home, connection: Connection): readonly Buffer[] {
  const sign = createEventSigner({
    principal: 'worker',
    host: 'bench',
    install: home.install,
    signingKeyPem: readFileSync(accessOf(connection, 'worker').signingKey, 'utf8'),
    clock: systemClock,
  });
  const contract = { id: 'smart-home', version: '1.0.0', hash: '0'.repeat(64) };
  return Array.from({ length: DISTINCT }, (_, number) =>
    sign(
      stageWindowStatement({
        stage: STAGES[number % STAGES.length] ?? 'store',
        object: { type: 'topic', id: `topic-${number % 50}` },
        outcome: number % 1000 === 0 ? 'denied' : 'success',
        counts: { records: 10_000, rows: 10_000, batches: 137 },
        ranges: [0, 1, 2].map((partition) => ({
          partition,
          from: number * 3000,
          to: number * 3000 + 2999,
          incarnation: 'bench',
        })),
        keyIds: [randomBytes(18).toString('base64url')],
        attempt: 'bench',
        tree: { size: 10_000, root: () => randomBytes(32) },
        contract,
        traceId: randomBytes(16).toString('hex'),
      }),
    ),
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
