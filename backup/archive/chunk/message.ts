/** A message as the archive keeps it: the exact bytes, and null apart from empty. */
export interface TopicMessage {
  readonly partition: number;
  readonly offset: number;
  /** When the broker appended it, in milliseconds since the epoch. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** In their order; a name may occur several times. */
  readonly headers: readonly MessageHeader[];
}

export type MessageHeader = readonly [name: string, value: Buffer | null];
