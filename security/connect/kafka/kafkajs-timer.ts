import { createRequire } from 'node:module';

/** What a connection of kafkajs keeps its requests in, as far as it concerns us. */
interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

/**
 * Stops a timer of kafkajs 2.2.4 that does nothing: each connection looks a thousand times a second whether a request is
 * kept back by a throttle, also while none is (the wait until then comes out negative, which Node takes for 1 ms, and Node
 * 24 warns of). An idle process spent a twentieth of a processor on it for each connection. The check is still scheduled
 * by whatever keeps a request back.
 */
export function stopIdleTimer(): void {
  const require = createRequire(import.meta.url);
  const { prototype } = require('kafkajs/src/network/requestQueue/index.js') as { readonly prototype: RequestQueue };
  const schedule = Object.getOwnPropertyDescriptor(prototype, 'scheduleCheckPendingRequests')?.value as
    ((this: RequestQueue) => void) | undefined;
  if (schedule === undefined) return;
  prototype.scheduleCheckPendingRequests = function scheduleWhereNeeded(this: RequestQueue): void {
    if (this.pending.length > 0) schedule.call(this);
  };
}
