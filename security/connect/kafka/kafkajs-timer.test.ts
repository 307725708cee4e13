import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { stopIdleTimer } from './kafkajs-timer.ts';

interface Queue {
  throttledUntil: number;
  throttleCheckTimeoutId: unknown;
  maybeThrottle(milliseconds: number): void;
  checkPendingRequests(): void;
  push(request: { entry: object; expectResponse: boolean; sendRequest: () => void }): void;
  destroy(): void;
}

function newQueue(): Queue {
  const require = createRequire(import.meta.url);
  const RequestQueue = require('kafkajs/src/network/requestQueue/index.js') as new (options: object) => Queue;
  return new RequestQueue({
    ...{ maxInFlightRequests: null, requestTimeout: 1000, enforceRequestTimeout: false },
    ...{ clientId: 'test', broker: 'broker:1', instrumentationEmitter: new EventEmitter() },
    logger: { debug: () => undefined },
  });
}

it('a connection that has nothing to send looks at no clock', () => {
  stopIdleTimer();
  const queue = newQueue();
  queue.checkPendingRequests();
  expect(queue.throttleCheckTimeoutId ?? null).toBeNull();
});

it('a request that a broker throttles is sent when it may be, without anything else happening', async () => {
  stopIdleTimer();
  const queue = newQueue();
  const sent = Promise.withResolvers<number>();
  queue.maybeThrottle(50);
  const from = performance.now();
  const sendRequest = (): void => sent.resolve(performance.now() - from);
  queue.push({ entry: { correlationId: 1, resolve: () => undefined }, expectResponse: false, sendRequest });
  expect(queue.throttleCheckTimeoutId ?? null).not.toBeNull();
  expect(await sent.promise).toBeGreaterThanOrEqual(49);
  await sleep(5);
  expect(queue.throttleCheckTimeoutId ?? null).toBeNull();
  queue.destroy();
});
