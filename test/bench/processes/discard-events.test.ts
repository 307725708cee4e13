import kafkajs from 'kafkajs';
import { expect, it } from 'vitest';
import { AUDIT_TOPIC } from '../../../security/principals/names.ts';
import { discardEvents } from './discard-events.ts';

it('takes events for acknowledged without a broker, and nothing else', async () => {
  discardEvents();
  // Nobody listens on port 1.
  const kafka = new kafkajs.Kafka({
    brokers: ['127.0.0.1:1'],
    retry: { retries: 0 },
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const producer = kafka.producer({ retry: { retries: 0 } });
  const messages = [{ value: 'an event' }];
  await expect(producer.send({ topic: AUDIT_TOPIC, messages })).resolves.toEqual([]);
  await expect(producer.send({ topic: 'data', messages })).rejects.toThrow();
});
