import { WardlineError } from '../../core/errors/errors.ts';
import { AUDIT_TOPIC } from '../../security/principals/names.ts';
import { topicBounds, type TopicBounds, type TopicReader } from '../topic/read-topic.ts';

/** How often the topic's bounds are looked at, in milliseconds: an idle notary gets no message that could tell. */
const WATCH_INTERVAL = 4000;

export interface TopicWatch {
  close(): void;
}

/**
 * Looks again and again whether the audit topic still holds what was taken out of it; `next` is the sequence after that.
 * `fail` is told AUDIT_EPOCH_LOST once where it does not. That the topic cannot be asked is no finding.
 */
export function watchTopic(
  topic: TopicReader,
  next: () => Promise<number>,
  fail: (error: WardlineError) => void,
): TopicWatch {
  let looking = false;
  const look = async (): Promise<void> => {
    const taken = await next();
    const fault = faultOf(await topicBounds(topic, AUDIT_TOPIC), taken);
    if (fault !== undefined) fail(fault);
  };
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    look()
      .catch(() => undefined)
      .finally(() => (looking = false));
  }, WATCH_INTERVAL);
  return { close: () => clearInterval(timer) };
}

function faultOf(bounds: TopicBounds | undefined, next: number): WardlineError | undefined {
  if (bounds === undefined) return lost(`there is no topic ${AUDIT_TOPIC} any more`);
  if (bounds.low > 0) return lost(`the audit topic begins at ${bounds.low}: what was before was deleted`);
  return bounds.high < next ? shrunk(next, bounds.high) : undefined;
}

/** The topic ends before what came out of it. */
export function shrunk(next: number, high: number): WardlineError {
  return lost(`the audit topic ends at ${high}, and event ${next - 1} came out of it`);
}

function lost(what: string): WardlineError {
  return new WardlineError('AUDIT_EPOCH_LOST', what, {
    hint: 'find out what happened to it; then go on in a new epoch: wardline notary --new-epoch --reason "…"',
  });
}
