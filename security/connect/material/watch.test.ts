import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { writeFileAtomic } from '../../../core/files.ts';
import { watchMaterial, type MaterialWatch } from './watch.ts';

const INTERVAL = 1000;
let folder: string;
let watch: MaterialWatch;
let files: readonly [string, string];
let changes: number;

beforeEach(() => {
  vi.useFakeTimers();
  folder = mkdtempSync(join(tmpdir(), 'wardline-test-'));
  files = [join(folder, 'tls.key'), join(folder, 'tls.crt')];
  for (const file of files) writeFileSync(file, 'old');
  changes = 0;
  watch = watchMaterial(files, () => (changes += 1), INTERVAL);
});
afterEach(() => {
  watch.close();
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

describe('watchMaterial', () => {
  it('is silent while nothing changes', () => {
    vi.advanceTimersByTime(10 * INTERVAL);
    expect(changes).toBe(0);
  });

  it('tells once of a rotation that writes several files', () => {
    writeFileAtomic(files[0], 'new');
    vi.advanceTimersByTime(INTERVAL);
    writeFileAtomic(files[1], 'new');
    vi.advanceTimersByTime(INTERVAL);
    expect(changes).toBe(0);
    vi.advanceTimersByTime(5 * INTERVAL);
    expect(changes).toBe(1);
  });

  it('tells of a second rotation too', () => {
    for (const _round of [1, 2]) {
      writeFileAtomic(files[0], 'new');
      vi.advanceTimersByTime(3 * INTERVAL);
    }
    expect(changes).toBe(2);
  });

  it('survives a file that is gone for a while', () => {
    rmSync(files[0]);
    vi.advanceTimersByTime(3 * INTERVAL);
    writeFileAtomic(files[0], 'new');
    vi.advanceTimersByTime(3 * INTERVAL);
    expect(changes).toBe(2);
  });

  it('tells nothing after it was closed', () => {
    watch.close();
    writeFileAtomic(files[0], 'new');
    vi.advanceTimersByTime(3 * INTERVAL);
    expect(changes).toBe(0);
  });
});
