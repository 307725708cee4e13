import { Worker } from 'node:worker_threads';
import { ERROR_CODES, WardlineError, type ErrorCode } from '../../core/errors/errors.ts';
import { SCRIPT } from '../../core/script.ts';
import type { CassandraWork } from '../../security/connect/cassandra/renewing-cassandra.ts';
import type { BlockAnswer, BlockRequest, BlockThreadData } from './block-thread.ts';
import { readBlock, type StoredBlock } from './read-block.ts';

/** Reads blocks of the events table. */
export interface BlockReader {
  /** Blocks may be asked for ahead. */
  read(epoch: number, block: number): Promise<StoredBlock>;
  close(): Promise<void>;
}

/** Megabytes of a thread's heap: what it reads is garbage soon, and shall be taken away soon. */
const LIMITS = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 64 } as const;

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, { resolve(block: StoredBlock): void; reject(error: Error): void }>;
}

/** Reads them in this thread: without signatures to check, the servers are busier than it, and a thread is 50 MB. */
export function blocksHere(client: Pick<CassandraWork, 'execute'>): BlockReader {
  return {
    read: (epoch, block) => readBlock(client, epoch, block),
    close: () => Promise.resolve(),
  };
}

/** Reads them in threads of their own, and checks each event's signature. */
export function startBlockThreads(count: number, data: BlockThreadData): BlockReader {
  const threads = Array.from({ length: count }, () => startThread(data));
  let asked = 0;
  return {
    read(epoch, block) {
      const thread = threads[asked % count];
      asked += 1;
      return new Promise((resolve, reject) => {
        thread?.waiting.set(asked, { resolve, reject });
        thread?.worker.postMessage({ id: asked, epoch, block } satisfies BlockRequest);
      });
    },
    async close() {
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}

function startThread(data: BlockThreadData): Thread {
  const worker = new Worker(new URL(`./block-thread${SCRIPT}`, import.meta.url), {
    workerData: data,
    resourceLimits: LIMITS,
  });
  const thread: Thread = { worker, waiting: new Map() };
  const fail = (error: Error): void => {
    for (const asker of thread.waiting.values()) asker.reject(error);
    thread.waiting.clear();
  };
  worker.on('error', (error) => fail(new WardlineError('INTERNAL', `reading the audit log failed: ${String(error)}`)));
  worker.on('message', (answer: BlockAnswer) => {
    const asker = thread.waiting.get(answer.id);
    thread.waiting.delete(answer.id);
    if ('block' in answer) asker?.resolve(asBuffers(answer.block));
    else asker?.reject(new WardlineError(codeOf(answer.error.code), answer.error.message));
  });
  return thread;
}

/** Between threads a Buffer becomes a plain array of bytes, whose texts are others. */
function asBuffers(block: StoredBlock): StoredBlock {
  const { buffer, byteOffset, byteLength } = block.leaves;
  return { ...block, leaves: Buffer.from(buffer, byteOffset, byteLength) };
}

function codeOf(text: string): ErrorCode {
  return Object.hasOwn(ERROR_CODES, text) ? (text as ErrorCode) : 'INTERNAL';
}
