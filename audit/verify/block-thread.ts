import { parentPort, workerData } from 'node:worker_threads';
import { asWardlineError } from '../../core/errors/errors.ts';
import type { Connection } from '../../core/connection.ts';
import { cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import type { PrincipalName } from '../../security/principals/names.ts';
import { trustedKeys } from '../signature/signing-key.ts';
import { readBlock, type StoredBlock } from './read-block.ts';

/** What a thread that reads blocks is given at its start. */
export interface BlockThreadData {
  readonly connection: Connection;
  readonly principal: PrincipalName;
  /** Public keys to check signatures with. */
  readonly keys: readonly { readonly principal: string; readonly publicKeyPem: string }[];
}

export interface BlockRequest {
  readonly id: number;
  readonly epoch: number;
  readonly block: number;
}

export type BlockAnswer =
  | { readonly id: number; readonly block: StoredBlock }
  | { readonly id: number; readonly error: { readonly code: string; readonly message: string } };

/** A thread that reads and hashes blocks of the events table beside the main thread. */
const { connection, principal, keys } = workerData as BlockThreadData;
const client = cassandraClient(connection, principal);
const trusted = trustedKeys(keys);

parentPort?.on('message', (request: BlockRequest | 'end') => {
  if (request === 'end') {
    void client.shutdown().then(() => parentPort?.close());
    return;
  }
  const { id, epoch, block } = request;
  readBlock(client, epoch, block, trusted).then(
    (found) => {
      const { buffer } = found.leaves;
      parentPort?.postMessage(
        { id, block: found } satisfies BlockAnswer,
        buffer instanceof ArrayBuffer ? [buffer] : [],
      );
    },
    (error: unknown) => {
      const { code, message } = asWardlineError(error);
      parentPort?.postMessage({ id, error: { code, message } } satisfies BlockAnswer);
    },
  );
});
