import { context, trace, type Tracer } from '@opentelemetry/api';
import type { RenewableAuditLog } from './kafka-audit-log.ts';
import type { Instruments } from '../../telemetry/instruments.ts';
import { ATTRIBUTES, SPAN_NAMES } from '../../telemetry/names.ts';
import { withSpan } from '../../telemetry/with-span.ts';

/** An audit log whose appends are timed, and are spans where they belong to a trace. What fails is in neither figure. */
export function watchedAuditLog(
  log: RenewableAuditLog,
  tracer: Tracer,
  { auditDuration }: Pick<Instruments, 'auditDuration'>,
): RenewableAuditLog {
  const timed = async (append: () => Promise<void>): Promise<void> => {
    const started = performance.now();
    await append();
    auditDuration.record((performance.now() - started) / 1000, {});
  };
  const watched = (events: number, append: () => Promise<void>): Promise<void> => {
    // Without this, the start and end of a process would be traces of their own, and the latest at that.
    if (trace.getSpan(context.active()) === undefined) return timed(append);
    return withSpan(tracer, SPAN_NAMES.auditAppend, { [ATTRIBUTES.events]: events }, () => timed(append));
  };
  return {
    append: (statement) => watched(1, () => log.append(statement)),
    appendAll: (statements) => watched(statements.length, () => log.appendAll(statements)),
    renew: () => log.renew(),
    close: () => log.close(),
  };
}
