import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EVENTS_PER_SUMMARY } from '../../security/audit-keyspace/tables.ts';
import { candidates, fits, type EventFilter } from '../query/filter.ts';
import { BlockMarks } from '../verify/block-marks.ts';
import type { EventColumns } from './columns.ts';
import type { StoredSummary } from './summaries.ts';
import { MARK_BYTES, MARKED, markOf, SummaryBuilder, type Marked, type Summary } from './summary.ts';

const text = fc.constantFrom('a', 'b', 'ü', '', null);
const columns: fc.Arbitrary<EventColumns> = fc.record({
  ...{ actor: text, action: text, objectType: text, objectId: text, outcome: text, traceId: text },
  time: fc.option(fc.nat(9)),
});
const log = fc.array(columns, { maxLength: 2 * EVENTS_PER_SUMMARY + 5 });

function summariesOf(events: readonly EventColumns[]): Summary[] {
  const builder = new SummaryBuilder();
  const full = events.map((event) => builder.append(event));
  return [...full, builder.unfinished()].filter((summary) => summary !== undefined);
}

/** As they are read with these marks. */
function stored(summaries: readonly Summary[], names: readonly Marked[] = MARKED): StoredSummary[] {
  return summaries.map((summary) => ({ ...summary, marks: new Map(names.map((name) => [name, summary.marks[name]])) }));
}

const held = (events: readonly EventColumns[]): Uint8Array => new Uint8Array(16_384).fill(1, 0, events.length);

function marksOf(events: readonly EventColumns[]): BlockMarks {
  const marks = new BlockMarks(0);
  events.forEach((event, index) => marks.set(index, event));
  return marks;
}

describe('a mark', () => {
  it('is the CRC-32 that others compute', () => {
    // The check value of CRC-32/ISO-HDLC.
    expect(markOf('123456789')).toBe(0xcb_f4_39_26);
    expect(markOf(null)).toBe(0);
  });
});

describe('summaries', () => {
  it('tell of every event once, 256 at a time', () => {
    fc.assert(
      fc.property(log, (events) => {
        const summaries = summariesOf(events);
        expect(summaries.map(({ first }) => first)).toEqual(summaries.map((_, at) => at * EVENTS_PER_SUMMARY));
        expect(summaries.reduce((sum, summary) => sum + summary.events, 0)).toBe(events.length);
        for (const { events: count, marks } of summaries)
          for (const name of MARKED) expect(marks[name]).toHaveLength(count * MARK_BYTES);
      }),
    );
  });

  it('lead to every event that is asked for', () => {
    const some = fc.option(fc.constantFrom('a', 'b', 'ü'), { nil: undefined });
    const filter: fc.Arbitrary<EventFilter> = fc.record({
      ...{ actor: some, action: some, traceId: some },
      since: fc.option(fc.nat(9), { nil: undefined }),
      until: fc.option(fc.nat(9), { nil: undefined }),
    });
    fc.assert(
      fc.property(log, filter, (events, asked) => {
        const names = MARKED.filter((name) => asked[name] !== undefined);
        const places = stored(summariesOf(events), names).flatMap((summary) => candidates(asked, summary));
        const found = places.filter((place) => place < events.length && fits(asked, events[place] as EventColumns));
        expect(found).toEqual(events.flatMap((event, at) => (fits(asked, event) ? [at] : [])));
      }),
    );
  });

  it('are found right where they are, whatever is missing of the events', () => {
    fc.assert(
      fc.property(log, fc.array(fc.nat(600)), (events, gone) => {
        const some = held(events);
        for (const at of gone) some[at] = 0;
        expect(marksOf(events).faults(some, stored(summariesOf(events)))).toEqual([]);
      }),
    );
  });

  it('are found wrong where one event is told of otherwise, and only there', () => {
    fc.assert(
      fc.property(log, fc.nat(), fc.constantFrom(...MARKED), (events, at, name) => {
        fc.pre(events.length > 0);
        const index = at % events.length;
        const lies = events.with(index, { ...(events[index] as EventColumns), [name]: 'another' });
        const detail = `its summary says otherwise: ${name}`;
        expect(marksOf(events).faults(held(events), stored(summariesOf(lies)))).toEqual([
          { from: index, to: index, detail },
        ]);
      }),
    );
  });

  it('are found wrong where one is missing, cut short or leaves out a time', () => {
    const events = Array.from({ length: 300 }, (_, number): EventColumns => ({
      ...{ actor: 'a', action: 'b', objectType: 'c', objectId: 'd', outcome: 'e', traceId: null },
      time: number,
    }));
    const [first, second] = stored(summariesOf(events));
    if (first === undefined || second === undefined) throw new Error('two summaries were expected');
    const faults = (...summaries: readonly StoredSummary[]) => marksOf(events).faults(held(events), summaries);
    expect(faults(first)).toEqual([{ from: 256, to: 299, detail: 'no summary tells of it' }]);
    expect(faults({ ...first, latest: 254 }, second)).toMatchObject([{ from: 255, to: 255 }]);
    expect(faults(first, { ...second, earliest: null })).toMatchObject([{ from: 256, to: 299 }]);
    const cut = new Map([
      ...first.marks,
      ['action' as const, first.marks.get('action')?.subarray(0, 40) ?? Buffer.alloc(0)],
    ]);
    expect(faults({ ...first, marks: cut }, second)).toMatchObject([{ from: 10, to: 255 }]);
  });
});
