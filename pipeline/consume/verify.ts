import type { KafkaMessage } from 'kafkajs';
import type { Rejection } from '../../core/record.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { DIGEST_BYTES, recordDigests, type RecordMac } from '../../security/sealed-field/record.ts';
import { HEADERS } from '../messages.ts';
import type { StageBody } from '../stage.ts';

/** A message whose MAC fits: what the source sent is what is here. */
export interface VerifiedMessage {
  readonly offset: bigint;
  readonly keyText: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly writeTimestamp: bigint;
  /** The broker's append time, in microseconds. */
  readonly appendTimestamp: bigint;
  readonly original: KafkaMessage;
}

export interface Verified {
  readonly messages: readonly VerifiedMessage[];
  readonly rejected: readonly { readonly message: KafkaMessage; readonly rejection: Rejection }[];
  /** The digests of all messages of the batch, one behind the other. */
  readonly digests: Buffer;
}

const NO_BYTES = Buffer.alloc(0);

/** Stage consume: checks, in this order, the headers, the contract, the MAC and the JSON of every message. */
export function consumeStage(contract: CompiledContract, mac: RecordMac): StageBody<readonly KafkaMessage[], Verified> {
  const digestInto = recordDigests();
  const isContractId = headerIs(contract.id);
  const isContractVersion = headerIs(contract.version);
  const keyText = keyTexts();
  const verify = (message: KafkaMessage, digests: Buffer, at: number): VerifiedMessage | Rejection => {
    const { key, value, headers } = message;
    digestInto(key ?? NO_BYTES, value ?? NO_BYTES, digests, at);
    const id = headerBytes(headers?.[HEADERS.contractId]);
    const version = headerBytes(headers?.[HEADERS.contractVersion]);
    const timestamp = headerBytes(headers?.[HEADERS.writeTimestamp])?.toString('latin1');
    const claimed = headerBytes(headers?.[HEADERS.mac]);
    if (id === undefined || version === undefined || timestamp === undefined || claimed === undefined) {
      return { code: 'HEADER_MISSING', detail: 'a header that every message carries is missing' };
    }
    if (!/^\d{1,16}$/.test(timestamp))
      return { code: 'HEADER_MISSING', detail: 'the write timestamp is not a number of microseconds' };
    if (!isContractId(id) || !isContractVersion(version)) {
      return { code: 'CONTRACT_UNKNOWN', detail: `this worker enforces ${contract.id} ${contract.version}` };
    }
    if (key === null || value === null)
      return { code: 'MESSAGE_NOT_JSON', detail: 'the message has no key or no value' };
    const writeTimestamp = BigInt(timestamp);
    if (!mac.verify(digests, writeTimestamp, claimed, at)) {
      return { code: 'MAC_INVALID', detail: 'the message authentication code does not fit' };
    }
    const fields = parseObject(value);
    if (fields === undefined) return { code: 'MESSAGE_NOT_JSON', detail: 'the value is not a JSON object' };
    return {
      offset: BigInt(message.offset),
      keyText: keyText(key),
      fields,
      writeTimestamp,
      appendTimestamp: BigInt(message.timestamp) * 1000n,
      original: message,
    };
  };
  return (batch) => {
    const messages: VerifiedMessage[] = [];
    const rejected: { message: KafkaMessage; rejection: Rejection }[] = [];
    const digests = Buffer.allocUnsafeSlow(batch.length * DIGEST_BYTES);
    let at = 0;
    for (const message of batch) {
      const outcome = verify(message, digests, at);
      if ('code' in outcome) rejected.push({ message, rejection: outcome });
      else messages.push(outcome);
      at += DIGEST_BYTES;
    }
    return {
      output: { messages, rejected, digests },
      facts: { counts: { records: batch.length, verified: messages.length, rejected: rejected.length } },
    };
  };
}

/** Returns a function that says whether a header is this text: bytes are compared, so that no text is made of each. */
function headerIs(text: string): (header: Buffer) => boolean {
  const bytes = Buffer.from(text);
  return (header) => header.equals(bytes);
}

/** Returns a function that gives a message key as text. Neighbours mostly share their key, and then share the text. */
function keyTexts(): (key: Buffer) => string {
  let last = NO_BYTES;
  let text = '';
  return (key) => {
    if (!key.equals(last)) {
      text = key.toString();
      last = Buffer.from(key);
    }
    return text;
  };
}

function headerBytes(header: Buffer | string | (Buffer | string)[] | undefined): Buffer | undefined {
  if (header === undefined || Array.isArray(header)) return undefined;
  return typeof header === 'string' ? Buffer.from(header) : header;
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
