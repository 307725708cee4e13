import { Worker } from 'node:worker_threads';
import { WardlineError } from '../../core/errors/errors.ts';
import { SCRIPT } from '../../core/script.ts';
import type { FromSealThread, KeyNeed, SealedBatch, SealThreadData, ThreadKey, ToSealThread } from './protocol.ts';

/** Resolves the data keys that a thread asks for. Waits while the key table cannot be asked; never invents a key. */
export type ResolveKeys = (needs: readonly KeyNeed[]) => Promise<readonly ThreadKey[]>;

/** Threads that check and seal batches side by side with reading and sending. */
export interface SealPool {
  /** Checks and seals one batch. Batches may finish in another order than they were given. */
  seal(
    values: readonly (readonly unknown[])[],
    positions: readonly number[],
    firstTimestamp: number,
  ): Promise<SealedBatch>;
  close(): Promise<void>;
}

interface Pending {
  resolve(batch: SealedBatch): void;
  reject(error: Error): void;
}

interface Thread {
  readonly worker: Worker;
  readonly pending: Map<number, Pending>;
}

/** Starts `size` seal threads and resolves once all are ready. A thread that dies fails its batches; the pool then refuses further work. */
export async function startSealPool(size: number, data: SealThreadData, resolveKeys: ResolveKeys): Promise<SealPool> {
  const threads = await Promise.all(Array.from({ length: size }, () => startThread(data, resolveKeys)));
  let nextId = 1;
  return {
    seal(values, positions, firstTimestamp) {
      const thread = threads.reduce((least, candidate) =>
        candidate.pending.size < least.pending.size ? candidate : least,
      );
      const id = nextId;
      nextId += 1;
      return new Promise((resolve, reject) => {
        thread.pending.set(id, { resolve, reject });
        thread.worker.postMessage({ type: 'batch', id, values, positions, firstTimestamp } satisfies ToSealThread);
      });
    },
    async close() {
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}

function startThread(data: SealThreadData, resolveKeys: ResolveKeys): Promise<Thread> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(`./thread${SCRIPT}`, import.meta.url), { workerData: data });
    const thread: Thread = { worker, pending: new Map() };
    const fail = (error: Error): void => {
      reject(error);
      for (const pending of thread.pending.values()) pending.reject(error);
      thread.pending.clear();
    };
    worker.on('error', (error) => fail(sealFault(error instanceof Error ? error.message : String(error))));
    worker.on('exit', (code) => {
      if (code !== 0 && thread.pending.size > 0) fail(sealFault(`a seal thread ended with code ${code}`));
    });
    worker.on('message', (message: FromSealThread) => {
      switch (message.type) {
        case 'ready':
          resolve(thread);
          return;
        case 'needs-keys':
          answerNeeds(thread, message.id, message.needs, resolveKeys);
          return;
        case 'sealed':
          settle(thread, message.id)?.resolve(message.batch);
          return;
        case 'failed':
          settle(thread, message.id)?.reject(sealFault(message.message));
      }
    });
  });
}

function answerNeeds(thread: Thread, id: number, needs: readonly KeyNeed[], resolveKeys: ResolveKeys): void {
  resolveKeys(needs).then(
    (keys) => thread.worker.postMessage({ type: 'keys', id, keys } satisfies ToSealThread),
    (error: unknown) => settle(thread, id)?.reject(error instanceof Error ? error : new Error(String(error))),
  );
}

function settle(thread: Thread, id: number): Pending | undefined {
  const pending = thread.pending.get(id);
  thread.pending.delete(id);
  return pending;
}

function sealFault(message: string): WardlineError {
  return new WardlineError('INTERNAL', `sealing failed: ${message}`);
}
