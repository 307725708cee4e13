import { WardlineError } from '../../core/errors/errors.ts';

/** What a store says of an object. */
export interface StoredObject {
  readonly name: string;
  readonly bytes: number;
  /** When it was written, in milliseconds since the epoch, by the store's clock. */
  readonly modified: number;
}

/**
 * A place for objects: bytes under a name. Every implementation guarantees, and one test suite holds each of them to it:
 *
 * - An object is there whole or not at all: whoever reads while it is being written, or after the writer was killed,
 *   finds the former object or none.
 * - When `put` resolves, the object outlasts a crash, and the store has confirmed the bytes that were sent.
 * - A later `put` under the same name replaces the object; `remove` of what is not there does nothing.
 * - `list` finds every object that was put before it began, page by page, in ascending order of names by code unit.
 * - Bodies are streams: memory does not grow with an object's size.
 *
 * Errors: OBJECT_NOT_FOUND, STORE_UNREACHABLE and STORE_FULL (both worth another attempt), STORE_REFUSED.
 */
export interface ObjectStore {
  /** Where it is, for people; holds no secret. */
  readonly address: string;
  /**
   * Stores an object and returns its size in bytes. Rejects with the body's own error where that fails; nothing is left.
   * Only a body that can be made anew is sent again where the store failed.
   */
  put(name: string, body: ObjectBody): Promise<number>;
  /** The object's bytes. Throws at the first read. */
  get(name: string): AsyncIterable<Uint8Array>;
  stat(name: string): Promise<StoredObject | undefined>;
  list(prefix: string): AsyncIterable<StoredObject>;
  remove(name: string): Promise<void>;
  /**
   * Removes what puts that began before `before` (milliseconds since the epoch) left unfinished, such as those that were
   * killed, and returns how much of it there was. No listing shows it. A put that is still under way fails.
   */
  removeUnfinished(before: number): Promise<number>;
  close(): Promise<void>;
}

/** Bytes, a stream that can be read once, or what makes such a stream at each call. */
export type ObjectBody = Uint8Array | AsyncIterable<Uint8Array> | (() => AsyncIterable<Uint8Array>);

const NAME = /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[A-Za-z0-9._=-]+(?:\/[A-Za-z0-9._=-]+)*$/;
const LONGEST_NAME = 512;

/** Names are of one alphabet that every store takes as it is, in segments that no store can leave its place by. */
export function isName(text: string): boolean {
  return text.length <= LONGEST_NAME && NAME.test(text);
}

export function requireName(name: string): void {
  if (!isName(name)) throw new WardlineError('INTERNAL', `${JSON.stringify(name)} is no name of an object`);
}

/** Reads a small object whole. Throws OBJECT_DAMAGED where it is larger than `most` bytes. */
export async function readObject(store: Pick<ObjectStore, 'get'>, name: string, most = 64 * 1024 * 1024) {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of store.get(name)) {
    bytes += part.length;
    if (bytes > most) throw new WardlineError('OBJECT_DAMAGED', `${name} is larger than ${most} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** A body as a stream, whichever form it has. */
export async function* streamOf(body: ObjectBody): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) yield body;
  else yield* typeof body === 'function' ? body() : body;
}

/** A body while it is sent. What fails in it is kept apart from what fails in the store. */
export interface BodyReading {
  /** Read so far. */
  readonly bytes: number;
  readonly stream: AsyncIterable<Uint8Array>;
  /** The body's own error where it failed, else `storeError`. */
  failure(storeError: () => Error): unknown;
}

export function readBody(body: ObjectBody): BodyReading {
  let bytes = 0;
  let failed: { readonly error: unknown } | undefined;
  async function* stream(): AsyncGenerator<Uint8Array> {
    const parts = streamOf(body);
    try {
      for (;;) {
        const next = await parts.next().catch((error: unknown) => {
          failed = { error };
          throw error;
        });
        if (next.done === true) return;
        bytes += next.value.length;
        yield next.value;
      }
    } finally {
      await parts.return(undefined);
    }
  }
  return {
    get bytes() {
      return bytes;
    },
    stream: stream(),
    failure: (storeError) => (failed === undefined ? storeError() : failed.error),
  };
}

export function objectNotFound(store: Pick<ObjectStore, 'address'>, name: string): WardlineError {
  return new WardlineError('OBJECT_NOT_FOUND', `${name} is not in ${store.address}`, {
    hint: 'see what is damaged: wardline backup verify latest',
  });
}
