import { hash } from 'node:crypto';
import type { Semaphore } from '../../core/async/semaphore.ts';
import { encodeFrame } from './chunk/frame.ts';
import type { TopicMessage } from './chunk/message.ts';
import type { ChunkRange, PartitionEnd } from './chunk/seal.ts';
import { writeChunk, type ChainEnd, type ChunkContent, type ChunkWriter } from './chunk/write-chunk.ts';

/** One topic on its way into the store: what is taken waits in memory until it is a chunk, and is written in order. */
export interface TopicArchive {
  /** How far a partition is taken, sealed or not; undefined where nothing of it ever was. */
  end(partition: number): PartitionEnd | undefined;
  /** The offset after the last one that is sealed in the store; 0 where none is. */
  sealed(partition: number): number;
  /** From here on a partition is taken from this offset of this life. What was taken of it before gets a chunk of its own. */
  begin(partition: number, life: string, from: number): void;
  /**
   * Takes messages of a partition, in order, which MUST have been begun. Resolves once there is room for more: while a
   * full chunk is being written only one more is collected.
   */
  take(partition: number, messages: readonly TopicMessage[]): Promise<void>;
  /** Resolves when everything that was taken is sealed; rejects where the store cannot be written. */
  flush(): Promise<void>;
  /** Taken and not sealed yet, in bytes. */
  readonly bytes: number;
  /** When the broker appended the oldest message that is taken and not sealed yet. */
  readonly oldest: number | undefined;
}

export interface TopicArchiveOptions extends Omit<ChunkWriter, 'recipients'> {
  readonly topic: string;
  /** Asked for each chunk: a new recovery identity counts from the next one on. */
  readonly recipients: () => readonly string[];
  /** Where the store's chain ends, and how far each partition is archived by it. */
  readonly from: { readonly chain: ChainEnd; readonly ends: readonly PartitionEnd[] };
  readonly chunkBytes: number;
  readonly chunkMilliseconds: number;
  /** Bounds how many chunks are compressed and encrypted at once. */
  readonly writers: Semaphore;
  /** Told of each chunk that is sealed; the next one waits for what it does. */
  readonly onSealed: (chain: ChainEnd, content: ChunkContent) => Promise<void>;
  /** Told why the store cannot be written, where waiting does not mend it. */
  readonly onFailure: (error: unknown) => void;
}

interface OpenChunk {
  readonly frames: Buffer[];
  readonly ranges: Map<number, ChunkRange>;
  bytes: number;
  oldest: number;
}

export function createTopicArchive(options: TopicArchiveOptions): TopicArchive {
  const { topic, from, chunkBytes, chunkMilliseconds, writers, onSealed, onFailure } = options;
  const ends = new Map(from.ends.map((end) => [end.partition, end]));
  const sealed = new Map(from.ends.map(({ partition, next }) => [partition, next]));
  /** Where the next message of each partition belongs. */
  const positions = new Map<number, { readonly life: string; readonly next: number }>();
  let { chain } = from;
  let open = emptyChunk();
  const waiting: OpenChunk[] = [];
  let writing: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  const write = async (chunk: OpenChunk, content: ChunkContent): Promise<void> => {
    const done = await writers.acquire();
    try {
      chain = await writeChunk({ ...options, recipients: options.recipients() }, topic, chain, content);
    } finally {
      done();
    }
    waiting.splice(waiting.indexOf(chunk), 1);
    for (const { partition, to } of content.ranges) sealed.set(partition, to);
    await onSealed(chain, content);
  };

  /** Closes the open chunk, and has it written after those before it. */
  const close = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    if (open.frames.length === 0) return writing;
    const chunk = open;
    open = emptyChunk();
    waiting.push(chunk);
    const content = { frames: chunk.frames, ranges: [...chunk.ranges.values()], ends: [...ends.values()] };
    writing = writing.then(() => write(chunk, content));
    writing.catch(onFailure);
    return writing;
  };

  const add = (partition: number, message: TopicMessage, frame: Buffer): void => {
    const position = positions.get(partition) ?? { life: '', next: 0 };
    const before = open.ranges.get(partition);
    open.frames.push(frame);
    open.bytes += frame.length;
    open.oldest = Math.min(open.oldest, message.timestamp);
    open.ranges.set(partition, {
      ...{ partition, life: position.life, from: before?.from ?? position.next, to: message.offset + 1 },
      ...{ count: (before?.count ?? 0) + 1, firstTime: before?.firstTime ?? message.timestamp },
      lastTime: message.timestamp,
    });
    positions.set(partition, { life: position.life, next: message.offset + 1 });
    if (timer === undefined) timer = setTimeout(() => void close().catch(() => undefined), chunkMilliseconds);
  };

  return {
    end: (partition) => ends.get(partition),
    sealed: (partition) => sealed.get(partition) ?? 0,
    begin(partition, life, next) {
      // Its error is onFailure's.
      if (open.ranges.has(partition)) close().catch(() => undefined);
      positions.set(partition, { life, next });
    },
    async take(partition, messages) {
      for (const [index, message] of messages.entries()) {
        const frame = encodeFrame(message);
        add(partition, message, frame);
        const isFull = open.bytes >= chunkBytes;
        if (isFull || index === messages.length - 1)
          ends.set(partition, {
            ...{ partition, life: positions.get(partition)?.life ?? '', next: message.offset + 1 },
            lastSha256: hash('sha256', frame, 'hex'),
          });
        if (!isFull) continue;
        const before = writing;
        close().catch(() => undefined);
        await before;
      }
    },
    flush: close,
    get bytes() {
      return waiting.reduce((sum, chunk) => sum + chunk.bytes, open.bytes);
    },
    get oldest() {
      const oldest = Math.min(open.oldest, ...waiting.map((chunk) => chunk.oldest));
      return oldest === Infinity ? undefined : oldest;
    },
  };
}

function emptyChunk(): OpenChunk {
  return { frames: [], ranges: new Map(), bytes: 0, oldest: Infinity };
}
