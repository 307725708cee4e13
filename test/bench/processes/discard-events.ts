import kafkajs, { type Kafka, type Producer, type ProducerConfig, type ProducerRecord } from 'kafkajs';
import { AUDIT_TOPIC } from '../../../security/principals/names.ts';

/** From here on, what this process sends to the audit topic is taken for acknowledged and sent nowhere. */
export function discardEvents(): void {
  const prototype = kafkajs.Kafka.prototype;
  const create = Reflect.get(prototype, 'producer');
  Reflect.set(prototype, 'producer', function (this: Kafka, config?: ProducerConfig): Producer {
    const producer = create.call(this, config);
    const send = (record: ProducerRecord) =>
      record.topic === AUDIT_TOPIC ? Promise.resolve([]) : producer.send(record);
    return { ...producer, send };
  });
}
