import { mkdtempSync, renameSync, rmSync, truncateSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rotatedLog, type RotatedLog } from '../../test/support/rotated-log.ts';
import { LONGEST_LINE } from './log-file.ts';
import { positionIn, readOn, type LogPiece, type LogPosition } from './log-follower.ts';

let folder: string;
let log: RotatedLog;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'follower-'));
  log = rotatedLog(join(folder, 'x.log'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const read = (position?: LogPosition, limit?: number): LogPiece | undefined =>
  readOn({ name: 'x', path: log.path }, position, limit);
const texts = (piece: LogPiece | undefined): string[] => (piece?.lines ?? []).map(({ text }) => text);
const behind = (piece: LogPiece | undefined): LogPosition => {
  if (piece === undefined) throw new Error('nothing was read');
  return positionIn(piece, piece.lines.at(-1)?.to ?? piece.from);
};

/** Everything that follows a position, and the position behind it. */
function readAll(start?: LogPosition): { lines: string[]; position: LogPosition | undefined; lost: boolean } {
  const lines: string[] = [];
  let position = start;
  let lost = false;
  for (let piece = read(position); piece !== undefined; piece = read(position)) {
    if (piece.lines.length === 0 && piece.lost === undefined) break;
    lines.push(...texts(piece));
    lost ||= piece.lost !== undefined;
    position = behind(piece);
  }
  return { lines, position, lost };
}

describe('a followed log', () => {
  it('is nothing before it is there, and before its first line is complete', () => {
    expect(read()).toBeUndefined();
    log.write('one');
    expect(read()).toBeUndefined();
    log.write(' line\nand a part');
    expect(read()?.lines).toEqual([{ text: 'one line', from: 0, to: 9 }]);
  });

  it('goes on where it was, in bytes, with a part once it is whole', () => {
    log.write('grün\nzw');
    const first = read();
    log.write('ei\r\ndrei\n');
    const second = read(behind(first));
    expect(second?.lines).toEqual([
      { text: 'zwei', from: 6, to: 12 },
      { text: 'drei', from: 12, to: 17 },
    ]);
    expect([first?.ended, second?.ended]).toEqual([false, false]);
    expect(texts(read(behind(second)))).toEqual([]);
  });

  it('goes through rotated files, the oldest first, and knows its own under any name', () => {
    log.write('a\nb\n');
    const position = behind(read(undefined, 1));
    for (const text of ['c\n', 'd\ne\n', 'f\n']) {
      log.rotate();
      log.write(text);
    }
    expect(readAll(position)).toMatchObject({ lines: ['b', 'c', 'd', 'e', 'f'], lost: false });
    expect(readAll().lines).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  it('takes files by their last change, where a logger gives the newest the highest number', () => {
    for (const [number, text] of [
      [1, 'a\n'],
      [2, 'b\n'],
      [3, 'c\n'],
    ] as const) {
      log.write(text);
      renameSync(log.path, `${log.path}.${number}`);
      utimesSync(`${log.path}.${number}`, number, number);
    }
    log.write('d\n');
    expect(readAll().lines).toEqual(['a', 'b', 'c', 'd']);
  });

  it('ends with a rotated file, whose last line needs no end', () => {
    log.write('a\nb');
    log.rotate();
    expect(read()).toMatchObject({ ended: true, lines: [{ text: 'a' }, { text: 'b', from: 2, to: 3 }] });
  });

  it('says that lines are lost where its file is gone, and repeats none of those that it knows', () => {
    log.write('a\n');
    log.rotate();
    log.write('b\n');
    const { position } = readAll();
    log.rotate();
    log.write('c\n');
    log.rotate();
    log.write('d\n');
    expect(readAll(position)).toMatchObject({ lines: ['c', 'd'], lost: false });
    rmSync(`${log.path}.2`);
    expect(read(position)).toMatchObject({ lost: position, lines: [{ text: 'c' }], ended: true });
    expect(readAll(position)).toMatchObject({ lines: ['c', 'd'], lost: true });
  });

  it('says so where its file was emptied, or cut short', () => {
    log.write('a\nb\n');
    const { position } = readAll();
    log.truncate();
    expect(read(position)).toBeUndefined();
    log.write('c\n');
    expect(readAll(position)).toMatchObject({ lines: ['c'], lost: true });
    log.write('d\ne\n');
    const later = readAll().position;
    truncateSync(log.path, 4);
    log.write('f\n');
    const whole = read(later);
    expect(whole).toMatchObject({ lines: [], lost: undefined });
    truncateSync(log.path, 4);
    expect(read(later)).toMatchObject({ lost: later, from: 4 });
    const cut = behind(read(later));
    log.write('g\n');
    expect(readAll(cut)).toMatchObject({ lines: ['g'], lost: false });
  });

  it('reads no more at once than asked, and cuts a line that is too long', () => {
    log.write('a\n'.repeat(1000));
    const piece = read(undefined, 100);
    expect([piece?.lines.length, piece?.full]).toEqual([50, true]);
    log.rotate();
    const long = 'x'.repeat(5 * LONGEST_LINE);
    log.write(`${long}\nb\n`);
    const { lines } = readAll(behind(piece));
    expect(lines.length).toBe(952);
    expect(lines.slice(-2).map(({ length }) => length)).toEqual([LONGEST_LINE, 1]);
  });
});

type Step = { write: string } | { rotate: true } | { read: number; acknowledged: boolean };

const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ write: fc.stringMatching(/^[ab\n]{0,12}$/) }) },
    { weight: 2, arbitrary: fc.constant<Step>({ rotate: true }) },
    { weight: 3, arbitrary: fc.record({ read: fc.integer({ min: 1, max: 40 }), acknowledged: fc.boolean() }) },
  ),
  { maxLength: 40 },
);

it('gives every line once and in order, however lines lie over files and wherever a restart comes in between', () => {
  let run = 0;
  fc.assert(
    fc.property(steps, (taken: readonly Step[]) => {
      run += 1;
      log = rotatedLog(join(folder, `${run}.log`));
      const written = [''];
      const recorded: string[] = [];
      let position: LogPosition | undefined;
      let count = 0;
      const end = (): void => {
        if (written.at(-1) !== '') written.push('');
      };
      for (const step of taken) {
        if ('write' in step) {
          // Each line begins with a number, as a server's begins with a time.
          const text = step.write.replaceAll(/^|\n/g, (begin) => `${begin}${(count += 1)} `);
          log.write(text);
          const [first = '', ...rest] = text.split('\n');
          written.push(`${written.pop() ?? ''}${first}`, ...rest);
        } else if ('rotate' in step) {
          log.rotate();
          end();
        } else {
          const piece = read(position, step.read);
          // Not acknowledged: what a process that dies now has read, and the next one reads again.
          if (piece === undefined || !step.acknowledged) continue;
          recorded.push(...texts(piece));
          position = behind(piece);
        }
      }
      log.write('\n');
      recorded.push(...readAll(position).lines);
      const whole = written.at(-1) === '' ? [...written.slice(0, -1), ''] : written;
      expect(recorded).toEqual(whole);
    }),
    { numRuns: 300 },
  );
});
