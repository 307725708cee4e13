import type { Message } from 'kafkajs';
import type { ResilientProducer } from '../produce.ts';
import type { StageBody } from '../stage.ts';
import { contentBytes, DEAD_LETTER_HEADERS, placeOf, type DeadLetter } from './letter.ts';

/** A sealed letter; `subject` is set where it is sealed under that data subject's key, so that its erasure reaches it. */
export interface SealedContent {
  readonly sealed: string;
  readonly subject: string | undefined;
}

/** Seals a letter's content: under the data subject's key where there is one, else to the day's public key. */
export type SealContent = (
  content: Uint8Array,
  subject: string | undefined,
  place: readonly string[],
) => Promise<SealedContent>;

/** Stage dead-letter: seals each letter whole and resolves when Kafka has acknowledged all of them. */
export function deadLetterStage(
  producer: ResilientProducer,
  topic: string,
  contract: { readonly id: string; readonly version: string },
  seal: SealContent,
): StageBody<readonly DeadLetter[], undefined> {
  return async (letters) => {
    const counts: Record<string, number> = { dead_letters: letters.length };
    for (const letter of letters) {
      counts[letter.code] = (counts[letter.code] ?? 0) + 1;
      // One at a time: a letter may be as large as the topic takes.
      await producer.send(topic, [await messageOf(letter, contract, seal)]);
    }
    return { output: undefined, facts: { counts } };
  };
}

async function messageOf(
  letter: DeadLetter,
  contract: { readonly id: string; readonly version: string },
  seal: SealContent,
): Promise<Message> {
  const { sealed, subject } = await seal(contentBytes(letter.content), letter.subject, placeOf(contract.id, letter));
  const headers: Record<string, string | undefined> = {
    [DEAD_LETTER_HEADERS.code]: letter.code,
    [DEAD_LETTER_HEADERS.stage]: letter.stage,
    [DEAD_LETTER_HEADERS.property]: letter.property,
    [DEAD_LETTER_HEADERS.detail]: letter.detail,
    [DEAD_LETTER_HEADERS.position]: letter.position,
    // Named only where it finds the key: a record about an erased subject must not name it again.
    [DEAD_LETTER_HEADERS.subject]: subject,
    [DEAD_LETTER_HEADERS.contractId]: contract.id,
    [DEAD_LETTER_HEADERS.contractVersion]: contract.version,
    [DEAD_LETTER_HEADERS.writeTimestamp]: letter.writeTimestamp,
    [DEAD_LETTER_HEADERS.traceparent]: letter.traceparent,
  };
  const present = Object.entries(headers).filter((header): header is [string, string] => header[1] !== undefined);
  return { key: letter.position, value: sealed, headers: Object.fromEntries(present) };
}
