import { createSemaphore } from './semaphore.ts';

/**
 * Works on several items at once, at most `parallel`. The first error ends it: nothing more is begun, and it is thrown
 * once what was begun has ended.
 */
export async function forEachOf<T>(
  items: AsyncIterable<T> | Iterable<T>,
  parallel: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const places = createSemaphore(parallel);
  const begun = new Set<Promise<void>>();
  const failures: unknown[] = [];
  for await (const item of items) {
    const release = await places.acquire();
    if (failures.length > 0) {
      release();
      break;
    }
    const one = work(item)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => {
        release();
        begun.delete(one);
      });
    begun.add(one);
  }
  await Promise.all(begun);
  if (failures.length > 0) throw failures[0];
}
