import type { Consumer } from 'kafkajs';
import type { Clock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { asKafkaError } from '../../security/connect/kafka/kafka.ts';

/** Without a fetch or a heartbeat for this long, in milliseconds, a consumer counts as stuck. */
const SILENCE_LIMIT = 45_000;
const CHECK_INTERVAL = 5000;

/** Watches one kafkajs consumer. */
export interface Liveness {
  /** Notes a sign of life that kafkajs has no event for. */
  readonly alive: () => void;
  /** Resolves with what ended or stuck the consumer, or with undefined when the signal aborts. */
  readonly ended: Promise<WardlineError | undefined>;
}

/** Starts watching: kafkajs can lose its connection for good without saying so. MUST be called before the consumer connects. */
export function watchConsumer(consumer: Consumer, clock: Clock, signal: AbortSignal): Liveness {
  let lastSign = clock.now();
  const alive = (): void => {
    lastSign = clock.now();
  };
  const ended = new Promise<WardlineError | undefined>((resolve) => {
    const end = (trouble: WardlineError | undefined): void => {
      clearInterval(timer);
      resolve(trouble);
    };
    const timer = setInterval(() => {
      if (clock.now() - lastSign <= SILENCE_LIMIT) return;
      end(new WardlineError('KAFKA_UNREACHABLE', `no fetch and no heartbeat for ${SILENCE_LIMIT / 1000} s`));
    }, CHECK_INTERVAL);
    const { events } = consumer;
    consumer.on(events.CRASH, ({ payload }) => end(asKafkaError(payload.error)));
    consumer.on(events.FETCH, alive);
    consumer.on(events.HEARTBEAT, alive);
    signal.addEventListener('abort', () => end(undefined), { once: true });
    if (signal.aborted) end(undefined);
  });
  return { alive, ended };
}
