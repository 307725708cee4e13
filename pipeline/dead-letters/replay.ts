import type { Message } from 'kafkajs';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { asWardlineError } from '../../core/errors/errors.ts';
import { createMac } from '../../security/sealed-field/record.ts';
import { sealerFactory, type Sealer } from '../../security/sealed-field/seal.ts';
import { randomBytes } from 'node:crypto';
import type { SensitiveClass } from '../../core/classification.ts';
import type { Keyring } from '../../security/keyring/keyring.ts';
import { messagesOf } from '../messages.ts';
import type { ResilientProducer } from '../produce.ts';
import { checkBatch, keyNeeds, sealBatch } from '../seal/batch.ts';
import { compileMessageWriter } from '../seal/message.ts';
import type { DeadLetterContent } from './letter.ts';
import type { ClosedLetter } from './list.ts';

/** What came of one letter. */
export type ReplayOutcome =
  { readonly replayed: true } | { readonly replayed: false; readonly code: string; readonly detail: string };

export interface ReplayTools {
  readonly contract: CompiledContract;
  readonly integrityKey: Uint8Array;
  readonly keyring: Keyring;
  readonly producer: ResilientProducer;
}

/**
 * Prepares the replay of opened letters: a record is checked and sealed again under today's contract, a message is sent
 * as it was. Both keep the original write timestamp, so that a replay never overwrites what came later, and never
 * prolongs a life. What still does not pass stays a dead letter.
 */
export function createReplay({
  contract,
  integrityKey,
  keyring,
  producer,
}: ReplayTools): (letter: ClosedLetter, content: DeadLetterContent) => Promise<ReplayOutcome> {
  const tools = { write: compileMessageWriter(contract), mac: createMac(integrityKey, contract.id, contract.version) };
  const sealerFor = sealerFactory(randomBytes);
  const topic = contract.topic.name;

  const sealRecord = async (
    letter: ClosedLetter,
    content: Extract<DeadLetterContent, { kind: 'record' }>,
  ): Promise<Message | ReplayOutcome> => {
    const values = contract.sourceFields.map((field) => content.values[content.fields.indexOf(field)] ?? undefined);
    const checked = checkBatch(contract, [values], [0]);
    const [refused] = checked.rejected;
    if (refused !== undefined) return { replayed: false, ...refused.rejection };
    const sealers = new Map<string, Sealer>();
    for (const { subject, classification } of keyNeeds(contract, checked)) {
      sealers.set(classification, sealerFor(await keyring.current({ contract: contract.id, subject, classification })));
    }
    const keyFor = (_subject: string, classification: SensitiveClass): Sealer | undefined =>
      sealers.get(classification);
    const timestamp = Number(letter.writeTimestamp);
    const batch = sealBatch(contract, checked, timestamp, { ...tools, keyFor });
    const [message] = messagesOf(batch, timestamp, {
      contractId: contract.id,
      contractVersion: contract.version,
      traceparent: undefined,
    });
    if (message === undefined)
      return {
        replayed: false,
        code: letter.code,
        detail: batch.rejected[0]?.rejection.detail ?? 'it still does not pass',
      };
    return { key: message.key, value: message.value, headers: { ...message.headers } };
  };

  return async (letter, content) => {
    if (content.kind === 'input')
      return { replayed: false, code: letter.code, detail: 'it was never read as a record: mend it at the source' };
    if (letter.writeTimestamp === undefined)
      return { replayed: false, code: letter.code, detail: 'it has no write timestamp' };
    try {
      const message = content.kind === 'message' ? originalMessage(content) : await sealRecord(letter, content);
      if ('replayed' in message) return message;
      await producer.send(topic, [message]);
      return { replayed: true };
    } catch (error) {
      const { code, message, retryable } = asWardlineError(error);
      if (retryable) throw error;
      return { replayed: false, code, detail: message };
    }
  };
}

function originalMessage(content: Extract<DeadLetterContent, { kind: 'message' }>): Message {
  const bytes = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text, 'base64'));
  const headers = Object.entries(content.headers).map(([name, value]) => [name, Buffer.from(value, 'base64')]);
  return {
    key: bytes(content.key),
    value: bytes(content.value),
    headers: Object.fromEntries(headers) as Record<string, Buffer>,
  };
}
