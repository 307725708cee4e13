import { context, trace } from '@opentelemetry/api';
import { expect, it } from 'vitest';
import type { EventStatement } from '../event/event.ts';
import type { RenewableAuditLog } from './kafka-audit-log.ts';
import { watchedAuditLog } from './watched-audit-log.ts';

const STATEMENT: EventStatement = { action: 'worker.start', object: { type: 'contract', id: 'x' }, outcome: 'success' };

function watched(log: Partial<RenewableAuditLog>): { audit: RenewableAuditLog; recorded: number[]; spans: string[] } {
  const recorded: number[] = [];
  const spans: string[] = [];
  const real = trace.getTracer('test');
  const tracer = {
    ...real,
    startActiveSpan: (...args: [string, ...unknown[]]) => {
      spans.push(args[0]);
      return (real.startActiveSpan as (...all: unknown[]) => unknown)(...args);
    },
  };
  const done = (): Promise<void> => Promise.resolve();
  const auditDuration = { record: (seconds: number) => void recorded.push(seconds) };
  const audit = watchedAuditLog(
    { append: done, appendAll: done, close: done, renew: () => undefined, ...log },
    tracer,
    { auditDuration },
  );
  return { audit, recorded, spans };
}

it('times what is acknowledged, and only that', async () => {
  const { audit, recorded } = watched({ appendAll: () => Promise.reject(new Error('no')) });
  await audit.append(STATEMENT);
  expect(recorded).toHaveLength(1);
  expect(recorded[0]).toBeGreaterThanOrEqual(0);
  await expect(audit.appendAll([STATEMENT])).rejects.toThrow('no');
  expect(recorded).toHaveLength(1);
});

it('begins no trace of its own', async () => {
  const { audit, spans } = watched({});
  expect(trace.getSpan(context.active())).toBeUndefined();
  await audit.append(STATEMENT);
  expect(spans).toEqual([]);
});
