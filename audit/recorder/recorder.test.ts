import { mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { INSTALL, keys, recordedTopic, runToRest, type RecordedTopic } from '../../test/support/recorder.ts';
import { rotatedLog, type RotatedLog } from '../../test/support/rotated-log.ts';
import { sleep } from '../../core/clock.ts';
import type { EventDocument } from '../event/document.ts';
import { verifyEvent } from '../event/verify-event.ts';
import { openPositions } from './position.ts';
import type { RecorderOptions } from './recorder.ts';

let now = Date.parse('2026-06-01T12:00:00Z');

const at = (second: number, milliseconds = 0): string =>
  new Date(Date.UTC(2026, 5, 1, 11, 0, second, milliseconds)).toISOString();
const denied = (second: number, topic: string, milliseconds = 0): string =>
  `${at(second, milliseconds)} INFO Principal = User:reader is Denied operation = READ from host = 10.0.0.7 on resource = Topic:LITERAL:${topic} for request = Fetch with resourceRefCount = 1 based on rule DefaultDeny (kafka.authorizer.logger)\n`;

let folder: string;
let log: RotatedLog;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recorder-'));
  log = rotatedLog(join(folder, 'kafka-authorizer.log'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const clock = { now: () => now };
const topic = (): RecordedTopic => recordedTopic(clock);
const record = (to: RecordedTopic, more: Partial<RecorderOptions> = {}): Promise<string[]> =>
  runToRest(folder, to, { logs: { 'kafka-authorizer': log.path }, clock, ...more });

/** The log has been silent for longer than a window. */
function quiet(): void {
  utimesSync(log.path, new Date(now - 5000), new Date(now - 5000));
}

const served = (events: readonly EventDocument[]): EventDocument[] =>
  events.filter(({ action }) => !/^recorder\.(start|stop)$/.test(action));

describe('the recorder', () => {
  it('states lines as signed events with their own time, and says when it began and ended', async () => {
    log.write(denied(1, 'a', 7));
    quiet();
    const to = topic();
    await record(to);
    const { generation } = openPositions(join(folder, 'recorder')).log('kafka-authorizer') ?? {};
    expect(to.events()).toEqual([
      expect.objectContaining({ action: 'recorder.start', details: { logs: ['kafka-authorizer'] } }),
      {
        id: expect.stringMatching(/^[\w-]{22}$/) as string,
        time: at(1, 7),
        install: INSTALL,
        actor: { principal: 'recorder', host: 'h' },
        action: 'server.access',
        object: { type: 'topic', id: 'a' },
        ...{ outcome: 'denied', code: 'PERMISSION_DENIED', counts: { times: 1 } },
        details: {
          ...{ principal: 'reader', address: '10.0.0.7', operation: 'READ', request: 'Fetch' },
          ...{ log: 'kafka-authorizer', file: generation, from: 0, to: denied(1, 'a').length },
        },
      },
      expect.objectContaining({ action: 'recorder.stop', counts: { events: 1, drained: 0 } }),
    ]);
  });

  it('makes one event of what is the same within a second, and another of the next', async () => {
    log.write(Array.from({ length: 500 }, (_, n) => denied(1, n % 2 === 0 ? 'a' : 'b', n)).join(''));
    log.write(denied(2, 'a'));
    quiet();
    const to = topic();
    await record(to);
    expect(served(to.events()).map(({ object, counts, time }) => [object.id, counts?.['times'], time])).toEqual([
      ['a', 250, at(1, 0)],
      ['b', 250, at(1, 1)],
      ['a', 1, at(2)],
    ]);
  });

  it('is not flooded by whoever invents names', async () => {
    log.write(Array.from({ length: 1000 }, (_, n) => denied(1, `invented-${n}`)).join(''));
    quiet();
    const to = topic();
    await record(to);
    const events = served(to.events());
    expect(events.length).toBe(201);
    expect(events.at(-1)).toMatchObject({ object: { type: 'topic', id: '*' }, counts: { times: 800 } });
    expect(events.at(-1)?.details).toMatchObject({ principal: 'reader' });
  });

  it('waits with a second that may not be over', async () => {
    log.write(denied(1, 'a') + denied(2, 'b'));
    utimesSync(log.path, new Date(now), new Date(now));
    const to = topic();
    await record(to);
    expect(served(to.events()).map(({ object }) => object.id)).toEqual(['a']);
    quiet();
    await record(to);
    expect(served(to.events()).map(({ object }) => object.id)).toEqual(['a', 'b']);
  });

  it('sends the very same bytes again where it died between acknowledgement and position', async () => {
    log.write(denied(1, 'a') + denied(1, 'a') + denied(2, 'b'));
    quiet();
    const first = topic();
    await record(first);
    rmSync(join(folder, 'recorder'), { recursive: true });
    log.write(denied(3, 'c'));
    log.rotate();
    now += 60_000;
    const second = topic();
    await record(second);
    const lines = (to: RecordedTopic) => to.messages.filter((m) => served([verifyEvent(m, keys)]).length > 0);
    expect(lines(second).map(String).slice(0, 2)).toEqual(lines(first).map(String));
    expect(served(second.events()).map(({ object }) => object.id)).toEqual(['a', 'b', 'c']);
  });

  it('waits while the audit log does not take an event, says why, and goes on with the same', async () => {
    log.write(denied(1, 'a') + denied(2, 'b'));
    quiet();
    const to = topic();
    let refusals = 0;
    to.state.refuse = ({ action }) => action === 'server.access' && (refusals += 1) <= 1;
    const stop = new AbortController();
    const both = async (): Promise<void> => {
      while (served(to.events()).length < 2) await sleep(15);
      stop.abort();
    };
    const told = await record(to, { stop: stop.signal, onFollowing: () => void both() });
    expect(told).toEqual(['waiting: no leader']);
    expect(served(to.events()).map(({ object }) => object.id)).toEqual(['a', 'b']);
  });

  it('ends while the audit log is away, without having moved on', async () => {
    log.write(denied(1, 'a'));
    quiet();
    const to = topic();
    to.state.refuse = ({ action }) => action !== 'recorder.start';
    const told = await record(to);
    expect(told.at(-1)).toBe('waiting: its end is on no record: no leader');
    expect(openPositions(join(folder, 'recorder')).log('kafka-authorizer')).toBeUndefined();
  });

  it('tells of lines that were lost, and of lines that it cannot read', async () => {
    log.write(denied(1, 'a'));
    quiet();
    const to = topic();
    await record(to);
    log.rotate();
    log.forgetOldest();
    log.write(`${denied(2, 'b')}nobody began this line\n${denied(3, 'c')}`);
    quiet();
    const told = await record(to);
    expect(told).toEqual([expect.stringContaining('lines of the log kafka-authorizer were lost')]);
    expect(served(to.events()).map(({ action, code, time }) => [action, code, time])).toEqual([
      ['server.access', 'PERMISSION_DENIED', at(1)],
      ['recorder.gap', 'LINES_LOST', at(2)],
      ['server.access', 'PERMISSION_DENIED', at(2)],
      ['recorder.gap', 'LINE_UNREADABLE', at(2)],
      ['server.access', 'PERMISSION_DENIED', at(3)],
    ]);
    expect(to.events().find(({ code }) => code === 'LINES_LOST')).toMatchObject({
      object: { type: 'log', id: 'kafka-authorizer' },
      details: { from: denied(1, 'a').length, next_from: 0 },
    });
  });

  it('states a line as unreadable whose names no event may hold, and the others all the same', async () => {
    log.write(denied(1, 'a').replace('User:reader', 'User:-----BEGIN PRIVATE KEY-----') + denied(1, 'b'));
    quiet();
    const to = topic();
    await record(to);
    expect(served(to.events()).map(({ code }) => code)).toEqual(['LINE_UNREADABLE', 'PERMISSION_DENIED']);
  });

  it('ends with what no waiting mends', async () => {
    const to = topic();
    to.state.refuse = () => {
      throw new TypeError('a mistake of this program');
    };
    await expect(record(to)).rejects.toThrow('a mistake of this program');
  });
});
