import { DIGEST_BYTES, recordDigests } from '../../security/sealed-field/record.ts';
import { leafHash } from '../merkle/hash.ts';
import { inclusionProof, verifyInclusion } from '../merkle/inclusion.ts';
import { readTopic, type TopicReader } from '../topic/read-topic.ts';
import { includes, type OffsetRange, type RecordPlace, type StatedWindow } from './windows.ts';

/** What a window was found to say of a record. */
export interface WindowProof {
  /** Whether the digests of the window's messages, as the topic holds them now, lead from the record to the stated root. */
  readonly holds: boolean;
  /** The record's place in the window's tree. */
  readonly index: number;
  /** The record's digest, hex; undefined where the topic holds it no more. */
  readonly digest: string | undefined;
}

/** Reads the leaves of windows from the topic; ranges that several stages share are read once. */
export function windowProver(reader: TopicReader): (window: StatedWindow, place: RecordPlace) => Promise<WindowProof> {
  const known = new Map<string, Promise<readonly Uint8Array[]>>();
  const leavesOf = (topic: string, range: OffsetRange): Promise<readonly Uint8Array[]> => {
    const key = `${topic}/${range.partition}/${range.from}/${range.to}`;
    const leaves = known.get(key) ?? readDigests(reader, topic, range);
    known.set(key, leaves);
    return leaves;
  };
  return async ({ ranges, size, root }, place) => {
    const digests: Uint8Array[] = [];
    let index = -1;
    for (const range of ranges) {
      if (includes(range, place)) index = digests.length + Number(place.offset - range.from);
      digests.push(...(await leavesOf(place.topic, range)));
    }
    const digest = digests[index];
    if (digest === undefined || digests.length !== size) return { holds: false, index, digest: undefined };
    const leaves = digests.map((bytes) => leafHash(bytes));
    const claim = { index, size, root, leafHash: leafHash(digest), proof: inclusionProof(index, leaves) };
    return { holds: verifyInclusion(claim), index, digest: Buffer.from(digest).toString('hex') };
  };
}

async function readDigests(reader: TopicReader, topic: string, range: OffsetRange): Promise<readonly Uint8Array[]> {
  const digestInto = recordDigests();
  const digests: Uint8Array[] = [];
  const offsets = { from: Number(range.from), to: Number(range.to) + 1, partition: range.partition };
  await readTopic(reader, topic, offsets, (messages) => {
    for (const { key, value } of messages) {
      const digest = Buffer.alloc(DIGEST_BYTES);
      digestInto(key ?? Buffer.alloc(0), value ?? Buffer.alloc(0), digest, 0);
      digests.push(digest);
    }
  });
  return digests;
}
