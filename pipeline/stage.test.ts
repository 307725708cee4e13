import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { afterEach, expect, it, vi } from 'vitest';
import { asWardlineError, WardlineError } from '../core/errors/errors.ts';
import type { StageName } from './facts.ts';
import { stage, type Surroundings } from './stage.ts';
import { createWindow, withWindow } from './window/window.ts';

interface Seen {
  readonly repeated: StageName[];
  readonly measured: StageName[];
  readonly told: string[];
}

afterEach(() => vi.useRealTimers());

function surroundings(seen: Seen): Surroundings {
  return {
    tracer: trace.getTracer('test'),
    measure: (name) => void seen.measured.push(name),
    repeated: (name) => void seen.repeated.push(name),
    silent: (name, seconds) => void seen.told.push(`${name} ${seconds} s`),
    retry: {
      firstDelayMilliseconds: 0,
      longestDelayMilliseconds: 0,
      attempts: Infinity,
      retryable: (error) => asWardlineError(error).retryable,
      onRetry: (error) => void seen.told.push(asWardlineError(error).code),
    },
  };
}

it('repeats what may succeed later, counts and tells each time, and keeps the facts once', async () => {
  const seen: Seen = { repeated: [], measured: [], told: [] };
  let left = 2;
  const store = stage(
    'store',
    () => {
      if (left > 0) {
        left -= 1;
        throw new WardlineError('CASSANDRA_UNREACHABLE', 'down');
      }
      return { output: 'stored', facts: { counts: { rows: 3 } } };
    },
    surroundings(seen),
  );
  const window = createWindow();
  await expect(store(undefined, withWindow(ROOT_CONTEXT, window))).resolves.toBe('stored');
  expect(seen).toEqual({
    repeated: ['store', 'store'],
    measured: ['store'],
    told: ['CASSANDRA_UNREACHABLE', 'CASSANDRA_UNREACHABLE'],
  });
});

it('does not repeat what cannot succeed', async () => {
  const seen: Seen = { repeated: [], measured: [], told: [] };
  const store = stage(
    'store',
    () => {
      throw new WardlineError('CASSANDRA_REFUSED', 'no');
    },
    surroundings(seen),
  );
  await expect(store(undefined, ROOT_CONTEXT)).rejects.toMatchObject({ code: 'CASSANDRA_REFUSED' });
  expect(seen).toEqual({ repeated: [], measured: [], told: [] });
});

it('waits for a dead-letter key that is not published yet', async () => {
  const seen: Seen = { repeated: [], measured: [], told: [] };
  let published = false;
  const letter = stage(
    'dead-letter',
    () => {
      if (!published) {
        published = seen.told.length > 1;
        throw new WardlineError('KEY_NOT_YET_PUBLISHED', 'no dead-letter key is published for 2026-01-01');
      }
      return { output: undefined, facts: { counts: { dead_letters: 1 } } };
    },
    surroundings(seen),
  );
  await letter(undefined, ROOT_CONTEXT);
  expect(new Set(seen.told)).toEqual(new Set(['KEY_NOT_YET_PUBLISHED']));
  expect(seen.measured).toEqual(['dead-letter']);
});

it('tells of an attempt that nobody answers, and of none that is answered in time', async () => {
  vi.useFakeTimers();
  const seen: Seen = { repeated: [], measured: [], told: [] };
  const { promise: answer, resolve } = Promise.withResolvers<undefined>();
  const body = async () => {
    await answer;
    return { output: undefined, facts: { counts: {} } };
  };
  const produced = stage('produce', body, surroundings(seen))(undefined, ROOT_CONTEXT);
  await vi.advanceTimersByTimeAsync(9_999);
  expect(seen.told).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(seen.told).toEqual(['produce 10 s']);
  resolve(undefined);
  await produced;
  expect(vi.getTimerCount()).toBe(0);
});
