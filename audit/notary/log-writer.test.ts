import { generateKeyPairSync } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { noteSigner } from '../checkpoint/signed-note.ts';
import { MerkleAccumulator } from '../merkle/accumulator.ts';
import { TileBuilder } from '../merkle/tiles.ts';
import { SummaryBuilder } from '../store/summary.ts';
import type { CassandraWork } from '../../security/connect/cassandra/renewing-cassandra.ts';
import { createLogWriter } from './log-writer.ts';

const done = (): Promise<never> => Promise.resolve({ rows: [] } as never);
const CASSANDRA = { batch: done, execute: done, eachRow: done } as unknown as CassandraWork;

describe('a log writer', () => {
  it('signs nothing below the largest checkpoint that is known, and leaves the process free meanwhile', async () => {
    const signed: number[] = [];
    const largest = { origin: 'log', size: 10, root: Buffer.alloc(32) };
    const log = { epoch: 1, size: 0, tree: new MerkleAccumulator(), tiles: new TileBuilder(), largest };
    const writer = createLogWriter(log, new SummaryBuilder(), {
      cassandra: CASSANDRA,
      signer: noteSigner('log', generateKeyPairSync('ed25519').privateKey),
      places: [],
      clock: { now: () => Date.now() },
      retry: { firstDelayMilliseconds: 1, longestDelayMilliseconds: 1, attempts: 1, retryable: () => false },
      onSigned: (size) => signed.push(size),
      onError: (error) => {
        throw error;
      },
    });
    await writer.append([Buffer.from('{}'), Buffer.from('{}')]);
    // Would never fire where something is tried again and again without ever waiting.
    await sleep(1);
    await writer.close();
    expect(writer.taken).toBe(2);
    expect(signed).toEqual([]);
  });
});
