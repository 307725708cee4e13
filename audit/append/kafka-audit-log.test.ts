import { generateKeyPairSync } from 'node:crypto';
import type { Kafka, ProducerRecord } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import type { EventStatement } from '../event/event.ts';
import { AUDIT_TOPIC, createKafkaAuditLog, type AuditWait, type KafkaAuditLogOptions } from './kafka-audit-log.ts';
import { trustedKeys } from '../signature/signing-key.ts';
import { verifyEvent } from '../event/verify-event.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519', {
  privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
  publicKeyEncoding: { format: 'pem', type: 'spki' },
});
const keys = trustedKeys([{ principal: 'source', publicKeyPem: publicKey }]);

const event = (n: number): EventStatement => ({
  action: 'stage.produce',
  object: { type: 'topic', id: 'readings' },
  outcome: 'success',
  counts: { n },
  identity: [String(n)],
});

/** A Kafka whose sends end as `answer` decides, one call after another. */
function fakeKafka(answer: (call: number) => Promise<void> = () => Promise.resolve()) {
  const sent: ProducerRecord[] = [];
  let connects = 0;
  let disconnects = 0;
  const producer = {
    connect: () => {
      connects += 1;
      return Promise.resolve();
    },
    disconnect: () => {
      disconnects += 1;
      return Promise.resolve();
    },
    send: async (record: ProducerRecord) => {
      sent.push(record);
      await answer(sent.length);
      return [{ topicName: record.topic, partition: 0, errorCode: 0 }];
    },
  };
  const kafka = { producer: () => producer } as unknown as Pick<Kafka, 'producer'>;
  const counts = (record: ProducerRecord | undefined): (number | undefined)[] =>
    (record?.messages ?? []).map(({ value }) => verifyEvent(value as Buffer, keys).counts?.['n']);
  return { kafka, sent, counts, connects: () => connects, disconnects: () => disconnects };
}

function auditLog(kafka: Pick<Kafka, 'producer'>, more: Partial<KafkaAuditLogOptions> = {}) {
  const author = { principal: 'source', host: 'h', install: 'i', signingKeyPem: privateKey };
  const quick = { firstDelayMilliseconds: 1, longestDelayMilliseconds: 2, attempts: 3 };
  return createKafkaAuditLog({ kafka, ...author, clock: { now: () => 0 }, retry: quick, ...more });
}

describe('the audit log on Kafka', () => {
  it('connects anew once it is told to: at once where it is idle, and never under a request', async () => {
    const gate = Promise.withResolvers<undefined>();
    const { kafka, sent, connects, disconnects } = fakeKafka(async (call) => {
      if (call === 2) await gate.promise;
    });
    const log = auditLog(kafka);
    await log.append(event(1));
    log.renew();
    expect(disconnects()).toBe(1);
    const second = log.append(event(2));
    await expect.poll(() => sent.length).toBe(2);
    log.renew();
    expect([connects(), disconnects()]).toEqual([2, 1]);
    gate.resolve(undefined);
    await second;
    expect(disconnects()).toBe(2);
    await log.append(event(3));
    expect(connects()).toBe(3);
    await log.close();
    expect(disconnects()).toBe(3);
  });

  it('sends to the one partition of the audit topic, acknowledged by all replicas', async () => {
    const { kafka, sent, counts, connects } = fakeKafka();
    const log = auditLog(kafka);
    expect(connects()).toBe(0);
    await log.append(event(1));
    await log.append(event(2));
    expect(connects()).toBe(1);
    expect(sent.map(({ topic, acks }) => ({ topic, acks }))).toEqual([
      { topic: AUDIT_TOPIC, acks: -1 },
      { topic: AUDIT_TOPIC, acks: -1 },
    ]);
    expect(sent.every(({ messages }) => messages.every(({ partition }) => partition === 0))).toBe(true);
    expect(sent.map(counts)).toEqual([[1], [2]]);
  });

  it('lets concurrent appends share requests, one request at a time, in order', async () => {
    const gate = Promise.withResolvers<undefined>();
    const { kafka, sent, counts } = fakeKafka(() => gate.promise);
    const log = auditLog(kafka);
    const first = log.append(event(0));
    await new Promise(setImmediate);
    const rest = Array.from({ length: 50 }, (_, n) => log.append(event(n + 1)));
    await new Promise(setImmediate);
    expect(sent.length).toBe(1);
    gate.resolve(undefined);
    await Promise.all([first, ...rest]);
    expect(sent.map(counts)).toEqual([[0], Array.from({ length: 50 }, (_, n) => n + 1)]);
  });

  it('sends what was signed before as it is, in order, and in requests that a broker takes', async () => {
    const { kafka, sent } = fakeKafka();
    const messages = Array.from({ length: 1200 }, (_, n) => Buffer.from(`signed by somebody ${n}`));
    await auditLog(kafka).appendSigned(messages);
    expect(sent.length).toBe(3);
    expect(sent.flatMap((record) => record.messages.map(({ value }) => String(value)))).toEqual(messages.map(String));
  });

  it('does not resolve before the acknowledgement', async () => {
    const gate = Promise.withResolvers<undefined>();
    const log = auditLog(fakeKafka(() => gate.promise).kafka);
    let settled = false;
    const append = log.append(event(1)).then(() => (settled = true));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(settled).toBe(false);
    gate.resolve(undefined);
    await append;
  });

  it('sends the very same bytes again after a failure, and says why it waits', async () => {
    const waits: AuditWait[] = [];
    const { kafka, sent } = fakeKafka((call) =>
      call < 3 ? Promise.reject(new Error('no leader')) : Promise.resolve(),
    );
    await auditLog(kafka, { onWaiting: (wait) => waits.push(wait) }).append(event(1));
    expect(sent.map(({ messages }) => (messages[0]?.value as Buffer).toString())).toEqual(
      Array(3).fill((sent[0]?.messages[0]?.value as Buffer).toString()),
    );
    expect(waits.map(({ reason, attempt, events }) => ({ reason, attempt, events }))).toEqual([
      { reason: 'Kafka: no leader', attempt: 1, events: 1 },
      { reason: 'Kafka: no leader', attempt: 2, events: 1 },
    ]);
  });

  it('rejects with AUDIT_UNAVAILABLE when its attempts are used up, all that wait behind included, and recovers', async () => {
    let down = true;
    const { kafka } = fakeKafka(() => (down ? Promise.reject(new Error('no leader')) : Promise.resolve()));
    const log = auditLog(kafka);
    const unavailable = expect.objectContaining({ code: 'AUDIT_UNAVAILABLE' }) as unknown;
    const first = log.append(event(1));
    await new Promise(setImmediate);
    const outcomes = await Promise.allSettled([first, log.append(event(2)), log.append(event(3))]);
    expect(outcomes).toEqual(Array(3).fill({ status: 'rejected', reason: unavailable }));
    down = false;
    await expect(log.append(event(4))).resolves.toBeUndefined();
  });

  it('stops waiting when told to', async () => {
    const stop = new AbortController();
    const { kafka } = fakeKafka(() => Promise.reject(new Error('no leader')));
    const forever = { attempts: Infinity, firstDelayMilliseconds: 60_000, longestDelayMilliseconds: 60_000 };
    const log = auditLog(kafka, { retry: forever, signal: stop.signal, onWaiting: () => stop.abort() });
    await expect(log.append(event(1))).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
  });

  it('sends nothing where one of the statements is no event', async () => {
    const { kafka, sent } = fakeKafka();
    const wrong = { ...event(2), counts: { n: -1 } };
    await expect(auditLog(kafka).appendAll([event(1), wrong])).rejects.toMatchObject({ code: 'AUDIT_EVENT_INVALID' });
    expect(sent).toEqual([]);
  });

  it('finishes what was appended before it closes, and takes nothing afterwards', async () => {
    const { kafka, sent } = fakeKafka();
    const log = auditLog(kafka);
    const append = log.append(event(1));
    await log.close();
    await append;
    expect(sent.length).toBe(1);
    await expect(log.append(event(2))).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
  });
});
