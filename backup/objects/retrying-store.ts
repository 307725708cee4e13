import { createHash } from 'node:crypto';
import { retry, type RetryPolicy } from '../../core/async/retry.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import type { ObjectStore } from './object-store.ts';

export interface Patience {
  /** How long a failure may last: a call gives up once so much time has gone by since it first failed, or last led on. */
  readonly seconds: number;
  /** Told of each failure that is waited for, so that whoever waits can say why. */
  readonly onWaiting?: ((error: WardlineError) => void) | undefined;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
}

const FIRST_DELAY_MILLISECONDS = 250;
const LONGEST_DELAY_MILLISECONDS = 5000;

/**
 * A store that waits for another where that is out of reach or full. A put is repeated where its body can be read again.
 * A get or a list goes on where it broke off; an object that is another one by then is OBJECT_DAMAGED, never a mixture.
 */
export function retryingStore(store: ObjectStore, patience: Patience): ObjectStore {
  const policy = (): RetryPolicy => policyOf(patience);
  const patiently = <T>(work: () => Promise<T>): Promise<T> => retry(work, policy());
  return {
    address: store.address,
    put: (name, body) =>
      body instanceof Uint8Array || typeof body === 'function'
        ? patiently(() => store.put(name, body))
        : store.put(name, body),
    async *get(name) {
      let given = 0;
      const digest = createHash('sha256');
      const open = () => after(given, digest.copy().digest('hex'), store.get(name), replaced(store, name));
      for await (const part of resumed(open, policy)) {
        given += part.length;
        digest.update(part);
        yield part;
      }
    },
    stat: (name) => patiently(() => store.stat(name)),
    async *list(prefix) {
      let last: string | undefined;
      const open = async function* () {
        for await (const found of store.list(prefix)) if (last === undefined || found.name > last) yield found;
      };
      for await (const found of resumed(open, policy)) {
        last = found.name;
        yield found;
      }
    },
    remove: (name) => patiently(() => store.remove(name)),
    removeUnfinished: (before) => patiently(() => store.removeUnfinished(before)),
    close: () => store.close(),
  };
}

/** For one call: what it waits for, from its first failure on. */
function policyOf({ seconds, onWaiting, signal }: Patience): RetryPolicy {
  let failed: number | undefined;
  return {
    firstDelayMilliseconds: FIRST_DELAY_MILLISECONDS,
    longestDelayMilliseconds: LONGEST_DELAY_MILLISECONDS,
    attempts: Infinity,
    signal,
    retryable: (error) => {
      failed ??= performance.now();
      return isPassing(error) && performance.now() - failed < seconds * 1000;
    },
    onRetry: (error) => {
      if (isPassing(error)) onWaiting?.(error);
    },
  };
}

function isPassing(error: unknown): error is WardlineError {
  return error instanceof WardlineError && (error.code === 'STORE_UNREACHABLE' || error.code === 'STORE_FULL');
}

/** A stream that is opened anew where it fails; `open` leaves out what was given already. */
async function* resumed<T>(open: () => AsyncIterable<T>, policy: () => RetryPolicy): AsyncGenerator<T> {
  let parts: AsyncIterator<T> | undefined;
  const next = async (): Promise<IteratorResult<T>> => {
    parts ??= open()[Symbol.asyncIterator]();
    try {
      return await parts.next();
    } catch (error) {
      parts = undefined;
      throw error;
    }
  };
  try {
    for (;;) {
      const found = await retry(next, policy());
      if (found.done === true) return;
      yield found.value;
    }
  } finally {
    await parts?.return?.();
  }
}

/** What follows the first `given` bytes, which must have that SHA-256 again. */
async function* after(
  given: number,
  sha256: string,
  parts: AsyncIterable<Uint8Array>,
  otherwise: WardlineError,
): AsyncGenerator<Uint8Array> {
  const again = createHash('sha256');
  let at = 0;
  for await (const part of parts) {
    const known = part.subarray(0, Math.max(0, given - at));
    again.update(known);
    at += part.length;
    if (known.length > 0 && at >= given && again.copy().digest('hex') !== sha256) throw otherwise;
    if (known.length < part.length) yield part.subarray(known.length);
  }
  if (at < given) throw otherwise;
}

function replaced({ address }: ObjectStore, name: string): WardlineError {
  return new WardlineError('OBJECT_DAMAGED', `${name} in ${address} was replaced while it was read`, {
    hint: 'somebody else writes to this store; run the same command again',
  });
}
