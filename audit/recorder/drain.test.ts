import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { author, INSTALL, recordedTopic, runToRest, type RecordedTopic } from '../../test/support/recorder.ts';
import type { EventStatement } from '../event/event.ts';
import { readSpool, spoolAuditLog } from '../spool/spool.ts';
import { openPositions } from './position.ts';

const clock = { now: () => Date.UTC(2026, 5, 1) };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drain-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const record = (to: RecordedTopic): Promise<string[]> => runToRest(folder, to, { logs: {}, clock });

describe('the drain', () => {
  const act = (id: string): EventStatement => ({
    action: 'stack.up',
    object: { type: 'home', id },
    outcome: 'success',
  });
  const spool = () => spoolAuditLog(join(folder, 'spool'), author('operator', clock));
  const drained = (to: RecordedTopic): string[] =>
    to
      .events()
      .flatMap(({ action, code, object }) =>
        action === 'stack.up' ? [object.id] : action === 'spool.broken' ? [code ?? ''] : [],
      );
  const file = (n: number): string => join(folder, 'spool', readdirSync(join(folder, 'spool')).sort()[n] ?? '');

  it('sends what was signed, byte for byte and once, in order', async () => {
    await spool().appendAll(Array.from({ length: 450 }, (_, n) => act(`n${n}`)));
    const to = recordedTopic(clock);
    await record(to);
    await spool().append(act('later'));
    await record(to);
    const entries = readSpool(join(folder, 'spool'), INSTALL).map(({ event }) => event);
    expect(entries.length).toBe(451);
    expect(to.messages.map(String).filter((message) => entries.includes(message))).toEqual(entries);
    expect(statSync(join(folder, 'recorder', 'positions.json')).mode & 0o777).toBe(0o600);
  });

  it('stops behind an entry that was changed, and says so once; that entry goes as it stands, and its signature tells', async () => {
    await spool().appendAll([act('a'), act('b'), act('c')]);
    writeFileSync(file(1), readFileSync(file(1), 'utf8').replace('"event":"e', '"event":"f'));
    const to = recordedTopic(clock);
    expect(await record(to)).toEqual([expect.stringContaining('is broken: entry 2')]);
    expect(await record(to)).toEqual([]);
    const changed = to.messages.findIndex((message) => message.toString().startsWith('f'));
    expect(to.messages.splice(changed, 1)).toHaveLength(1);
    expect(drained(to)).toEqual(['a', 'SPOOL_BROKEN']);
    expect(to.events().find(({ action }) => action === 'spool.broken')?.details).toEqual({ entry: 2 });
  });

  it('stops at an entry that is missing', async () => {
    await spool().appendAll([act('a'), act('b'), act('c')]);
    rmSync(file(1));
    const to = recordedTopic(clock);
    expect(await record(to)).toEqual([expect.stringContaining('is broken: entry 1 is missing')]);
    expect(drained(to)).toEqual(['a', 'SPOOL_BROKEN']);
  });

  it('begins anew where the spool is another one', async () => {
    await spool().appendAll([act('a'), act('b')]);
    const to = recordedTopic(clock);
    await record(to);
    rmSync(join(folder, 'spool'), { recursive: true });
    await spool().append(act('c'));
    expect(await record(to)).toEqual([expect.stringContaining('is not the one that was read up to entry 1')]);
    expect(await record(to)).toEqual([]);
    expect(drained(to)).toEqual(['a', 'b', 'SPOOL_REPLACED', 'c']);
  });

  it('does not send what no event can be', async () => {
    await spool().append(act('a'));
    const first = readSpool(join(folder, 'spool'), INSTALL)[0];
    writeFileSync(
      join(folder, 'spool', '000000000001.json'),
      `${JSON.stringify({ event: 'x'.repeat(70_000), previous: first?.hash })}\n`,
    );
    const to = recordedTopic(clock);
    expect(await record(to)).toEqual([expect.stringContaining('entry 1 is larger than any event')]);
    expect(drained(to)).toEqual(['a', 'SPOOL_BROKEN']);
  });
});

it('does not begin on positions that are damaged', () => {
  openPositions(join(folder, 'recorder')).saveSpool({ sequence: 0, hash: 'h' });
  writeFileSync(join(folder, 'recorder', 'positions.json'), '{"logs":{}, "more": 1}');
  expect(() => openPositions(join(folder, 'recorder'))).toThrow(
    expect.objectContaining({ code: 'HOME_FORMAT', message: expect.stringContaining('is damaged') as string }) as Error,
  );
});
