import type { JsonValue } from '../../core/record.ts';
import type { AuditAction } from './actions.ts';

/** What a caller states; the log adds `id`, `time`, `actor` and the signature. Never a sensitive value, a secret, or a query's literals. */
export interface EventStatement {
  readonly action: AuditAction;
  readonly object: { readonly type: string; readonly id: string };
  readonly outcome: 'success' | 'denied' | 'failure';
  readonly code?: string | undefined;
  /** Whole numbers from 0 up. */
  readonly counts?: Readonly<Record<string, number>> | undefined;
  readonly contract?: { readonly id: string; readonly version: string; readonly hash: string } | undefined;
  readonly traceId?: string | undefined;
  readonly spanId?: string | undefined;
  readonly details?: Readonly<Record<string, JsonValue>> | undefined;
  /**
   * When it happened, in milliseconds since the epoch, where that is not now: an event made of a server's log has the
   * time of its line, so that made once more it is the same event.
   */
  readonly time?: number | undefined;
  /**
   * What makes the event this one and no other (topic, partition range and attempt, say): the same identity gives the
   * same id, so that an event sent twice is recognised. Without it the id is random.
   */
  readonly identity?: readonly string[] | undefined;
}

/**
 * Appends events. Every method resolves only after the event is durable where the log keeps it (on all in-sync replicas
 * of the topic; on disk for the spool); it rejects with AUDIT_UNAVAILABLE otherwise, and with AUDIT_EVENT_INVALID,
 * before anything is sent, where a statement cannot become an event.
 */
export interface AuditLog {
  append(statement: EventStatement): Promise<void>;
  /** All or nothing is not promised: events are appended in order, and a rejection means that some may be missing. */
  appendAll(statements: readonly EventStatement[]): Promise<void>;
  /** Waits for what was appended before, then lets go of what the log holds. An append afterwards is rejected. */
  close(): Promise<void>;
}
