import type { Kafka } from 'kafkajs';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { ownGroup, type PrincipalName } from '../../security/principals/names.ts';
import { readTopic } from '../consume/read-topic.ts';
import { DEAD_LETTER_HEADERS } from './letter.ts';

/** A dead letter as it can be known without opening it. */
export interface ClosedLetter {
  /** `<partition>-<offset>` on the dead-letter topic. */
  readonly id: string;
  /** When the broker took it, RFC 3339. */
  readonly time: string;
  readonly code: string;
  readonly stage: string;
  readonly property: string | undefined;
  readonly detail: string;
  readonly position: string;
  readonly subject: string | undefined;
  readonly contractVersion: string;
  readonly writeTimestamp: string | undefined;
  /** The sealed content, as a JWE. */
  readonly sealed: string;
}

/** All dead letters of a contract, oldest first in each partition. */
export async function* listDeadLetters(
  kafka: Kafka,
  contract: CompiledContract,
  principal: PrincipalName,
  signal?: AbortSignal,
): AsyncGenerator<ClosedLetter> {
  for await (const { partition, offset, message } of readTopic(
    kafka,
    contract.topic.deadLetterName,
    ownGroup(principal),
    signal,
  )) {
    const header = (name: keyof typeof DEAD_LETTER_HEADERS): string | undefined => {
      const value = message.headers?.[DEAD_LETTER_HEADERS[name]];
      return value === undefined || Array.isArray(value) ? undefined : value.toString();
    };
    yield {
      id: `${partition}-${offset}`,
      time: new Date(Number(message.timestamp)).toISOString(),
      code: header('code') ?? 'UNKNOWN',
      stage: header('stage') ?? 'unknown',
      property: header('property'),
      detail: header('detail') ?? '',
      position: header('position') ?? '',
      subject: header('subject'),
      contractVersion: header('contractVersion') ?? '',
      writeTimestamp: header('writeTimestamp'),
      sealed: message.value?.toString() ?? '',
    };
  }
}
