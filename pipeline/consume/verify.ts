import type { KafkaMessage } from 'kafkajs';
import type { Rejection } from '../../core/record.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { recordDigest, type RecordMac } from '../../security/sealed-field/record.ts';
import { HEADERS } from '../messages.ts';
import type { StageBody } from '../stage.ts';

/** A message whose MAC fits: what the source sent is what is here. */
export interface VerifiedMessage {
  readonly offset: bigint;
  readonly keyText: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly digest: Buffer;
  readonly writeTimestamp: bigint;
  /** The broker's append time, in microseconds. */
  readonly appendTimestamp: bigint;
  readonly original: KafkaMessage;
}

export interface Verified {
  readonly messages: readonly VerifiedMessage[];
  readonly rejected: readonly { readonly message: KafkaMessage; readonly rejection: Rejection }[];
}

/** Stage consume: checks, in this order, the headers, the contract, the MAC and the JSON of every message. */
export function consumeStage(contract: CompiledContract, mac: RecordMac): StageBody<readonly KafkaMessage[], Verified> {
  const verify = (message: KafkaMessage): VerifiedMessage | Rejection => {
    const headers = message.headers;
    const id = headerText(headers?.[HEADERS.contractId]);
    const version = headerText(headers?.[HEADERS.contractVersion]);
    const writeTimestamp = headerText(headers?.[HEADERS.writeTimestamp]);
    const claimed = headerText(headers?.[HEADERS.mac]);
    if (id === undefined || version === undefined || writeTimestamp === undefined || claimed === undefined) {
      return { code: 'HEADER_MISSING', detail: 'a header that every message carries is missing' };
    }
    if (!/^\d{1,16}$/.test(writeTimestamp))
      return { code: 'HEADER_MISSING', detail: 'the write timestamp is not a number of microseconds' };
    if (id !== contract.id || version !== contract.version) {
      return { code: 'CONTRACT_UNKNOWN', detail: `this worker enforces ${contract.id} ${contract.version}` };
    }
    const { key, value } = message;
    if (key === null || value === null)
      return { code: 'MESSAGE_NOT_JSON', detail: 'the message has no key or no value' };
    const digest = recordDigest(key, value);
    if (!mac.verify(digest, BigInt(writeTimestamp), Buffer.from(claimed, 'base64url'))) {
      return { code: 'MAC_INVALID', detail: 'the message authentication code does not fit' };
    }
    const fields = parseObject(value);
    if (fields === undefined) return { code: 'MESSAGE_NOT_JSON', detail: 'the value is not a JSON object' };
    return {
      offset: BigInt(message.offset),
      keyText: key.toString(),
      fields,
      digest,
      writeTimestamp: BigInt(writeTimestamp),
      appendTimestamp: BigInt(message.timestamp) * 1000n,
      original: message,
    };
  };
  return (batch) => {
    const messages: VerifiedMessage[] = [];
    const rejected: { message: KafkaMessage; rejection: Rejection }[] = [];
    for (const message of batch) {
      const outcome = verify(message);
      if ('code' in outcome) rejected.push({ message, rejection: outcome });
      else messages.push(outcome);
    }
    return {
      output: { messages, rejected },
      facts: { counts: { records: batch.length, verified: messages.length, rejected: rejected.length } },
    };
  };
}

function headerText(header: Buffer | string | (Buffer | string)[] | undefined): string | undefined {
  if (header === undefined || Array.isArray(header)) return undefined;
  return typeof header === 'string' ? header : header.toString('latin1');
}

function parseObject(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
