import { createQueue } from '../../core/async/queue.ts';
import { AUDIT_TOPIC } from '../../security/principals/names.ts';
import { leafHash } from '../merkle/hash.ts';
import { readTopic, type TopicReader } from '../topic/read-topic.ts';
import { emptyBlock, setLeaf, type BlockCopy } from './block-copy.ts';
import { EVENTS_PER_BLOCK } from '../../security/audit-keyspace/tables.ts';

/** Blocks that are read ahead. */
const BLOCKS_AHEAD = 2;

/** The leaf hashes of the audit topic, block by block, from a block's beginning up to but without offset `to`. */
export async function* topicLeaves(
  reader: TopicReader,
  range: { readonly from: number; readonly to: number },
): AsyncGenerator<BlockCopy, void, void> {
  const queue = createQueue<BlockCopy>(BLOCKS_AHEAD);
  let block = emptyBlock(EVENTS_PER_BLOCK);
  let count = 0;
  const flush = async (): Promise<void> => {
    const full = block;
    block = emptyBlock(EVENTS_PER_BLOCK);
    count = 0;
    await queue.push(full);
  };
  const reading = readTopic(reader, AUDIT_TOPIC, range, async (messages) => {
    for (const { value } of messages) {
      setLeaf(block, count, leafHash(value ?? Buffer.alloc(0)));
      count += 1;
      if (count === EVENTS_PER_BLOCK) await flush();
    }
  }).then(async () => {
    if (count > 0) await flush();
    queue.end();
  });
  reading.catch((error: unknown) => queue.end(error));
  yield* queue;
  await reading;
}
