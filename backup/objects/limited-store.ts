import { sleep } from '../../core/clock.ts';
import { streamOf, type ObjectBody, type ObjectStore } from './object-store.ts';

/**
 * A store through which at most `bytesPerSecond` go, all puts and gets together. What is sent waits before it goes, what
 * is read after it came: a single part is never cut, so the rate holds over several parts, not within one.
 */
export function limitedStore(store: ObjectStore, bytesPerSecond: number): ObjectStore {
  /** When the next byte may go, in milliseconds of `performance.now()`. */
  let free = 0;
  const take = async (bytes: number): Promise<void> => {
    const now = performance.now();
    const turn = Math.max(now, free);
    free = turn + (bytes * 1000) / bytesPerSecond;
    if (free > now) await sleep(free - now);
  };
  async function* limited(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const part of parts) {
      await take(part.length);
      yield part;
    }
  }
  return {
    ...store,
    async put(name, body: ObjectBody) {
      if (!(body instanceof Uint8Array)) return store.put(name, limited(streamOf(body)));
      await take(body.length);
      return store.put(name, body);
    },
    get: (name) => limited(store.get(name)),
  };
}
