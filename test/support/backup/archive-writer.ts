import { hash, generateKeyPairSync } from 'node:crypto';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { signingKey, trustedKeys, type SigningKey, type TrustedKeys } from '../../../audit/signature/signing-key.ts';
import { encodeFrame } from '../../../backup/archive/chunk/frame.ts';
import type { ChunkRange, PartitionEnd } from '../../../backup/archive/chunk/seal.ts';
import { writeChunk, type ChainEnd } from '../../../backup/archive/chunk/write-chunk.ts';
import type { ArchivedMessage } from '../../../backup/archive/read/read-archive.ts';
import { storeNames } from '../../../backup/naming.ts';
import type { ObjectStore } from '../../../backup/objects/object-store.ts';

export const INSTALL = 'install-of-a-test';
export const TOPIC = 'readings';

/** A life of a partition by its number. */
export function life(number: number): string {
  return `${String(number).padStart(4, '0')}-0123456789abcdef`;
}

/** A message that tells its own place; `offset` milliseconds into 2026, so that times are in order. */
export function message(partition: number, offset: number, of = life(0)): ArchivedMessage {
  const value = Buffer.from(`${partition}/${of}/${offset}`);
  return {
    ...{ partition, offset, life: of, key: offset % 2 === 0 ? null : Buffer.from(String(offset)), value },
    timestamp: Date.UTC(2026, 0, 1) + offset,
    headers: [['code', Buffer.from([offset % 256])]],
  };
}

export interface TestSigner {
  readonly key: SigningKey;
  readonly trusted: TrustedKeys;
}

export function testSigner(principal = 'archiver'): TestSigner {
  const pair = generateKeyPairSync('ed25519');
  return {
    key: signingKey(principal, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
    trusted: trustedKeys([
      { principal, publicKeyPem: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString() },
    ]),
  };
}

/** A topic's chain as an archiver makes it, chunk by chunk. */
export interface ArchiveWriter extends TestSigner {
  readonly identity: string;
  readonly recipient: string;
  write(messages: readonly ArchivedMessage[]): Promise<ChainEnd>;
}

export async function archiveWriter(
  store: ObjectStore,
  signer: TestSigner = testSigner(),
  topic = TOPIC,
): Promise<ArchiveWriter> {
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  let end: ChainEnd = { sequence: 0, previous: null };
  const ends = new Map<number, PartitionEnd>();
  const writer = {
    ...{ store, install: INSTALL, recipients: [recipient], key: signer.key, clock: { now: () => 0 } },
    retry: <T>(work: () => Promise<T>) => work(),
  };
  return {
    ...{ ...signer, identity, recipient },
    async write(messages) {
      if (end.sequence === 0) await store.put(storeNames(INSTALL).archivedTopic(topic), Buffer.from(''));
      const frames = messages.map(encodeFrame);
      for (const [index, { partition, life: of, offset }] of messages.entries())
        ends.set(partition, {
          ...{ partition, life: of, next: offset + 1 },
          lastSha256: hash('sha256', frames[index] ?? '', 'hex'),
        });
      end = await writeChunk(writer, topic, end, { frames, ranges: rangesOf(messages), ends: [...ends.values()] });
      return end;
    },
  };
}

function rangesOf(messages: readonly ArchivedMessage[]): ChunkRange[] {
  return [...Map.groupBy(messages, ({ partition }) => partition)].map(([partition, all]) => ({
    ...{ partition, life: all[0]?.life ?? '', from: all[0]?.offset ?? 0, to: (all.at(-1)?.offset ?? 0) + 1 },
    ...{ count: all.length, firstTime: all[0]?.timestamp ?? 0, lastTime: all.at(-1)?.timestamp ?? 0 },
  }));
}
