import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { drawTrace, traceJson } from './draw.ts';
import { readTrace } from './read.ts';

const TRACE = 'a'.repeat(32);
const OTHER = 'b'.repeat(32);
const id = (n: number): string => n.toString(16).padStart(16, '0');

interface Sketch {
  readonly name: string;
  readonly span: number;
  readonly parent?: number;
  readonly trace?: string;
  readonly start: number;
  readonly end: number;
  readonly records?: number;
  readonly failed?: boolean;
  readonly links?: readonly { traceId: string; spanId: string }[];
}

/** One export as the OTLP specification spells it: 64-bit numbers as strings. */
function line(service: string, spans: readonly Sketch[]): string {
  const milliseconds = (time: number): string => String(BigInt(time) * 1_000_000n);
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
        scopeSpans: [
          {
            spans: spans.map((span) => ({
              traceId: span.trace ?? TRACE,
              spanId: id(span.span),
              ...(span.parent === undefined ? {} : { parentSpanId: id(span.parent) }),
              name: span.name,
              startTimeUnixNano: milliseconds(span.start),
              endTimeUnixNano: milliseconds(span.end),
              attributes:
                span.records === undefined
                  ? []
                  : [{ key: 'wardline.records.in', value: { intValue: String(span.records) } }],
              status: { code: span.failed === true ? 2 : 0 },
              links: span.links ?? [],
            })),
          },
        ],
      },
    ],
  });
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'traces-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (file: string, ...lines: string[]): void => writeFileSync(join(folder, file), `${lines.join('\n')}\n`);
const draw = (trace: string): string => {
  const { traceId, roots } = readTrace(folder, trace);
  return drawTrace(traceId, roots);
};

describe('the trace view', () => {
  it('joins the spans of several processes into one tree, in the order of their start', () => {
    write(
      'traces-worker-2.jsonl',
      line('w', [{ name: 'stage store', span: 3, parent: 1, start: 40, end: 1540, failed: true }]),
    );
    write(
      'traces-source-1.jsonl',
      line('s', [{ name: 'stage check', span: 2, parent: 1, start: 5, end: 30, records: 9 }]),
      line('s', [{ name: 'source batch', span: 1, start: 0, end: 50 }]),
    );
    expect(draw(TRACE)).toBe(
      [
        `trace ${TRACE}`,
        'source batch [s]               50 ms',
        '├─ stage check [s]             25 ms  records.in=9',
        '└─ stage store [w] FAILED     1.50 s',
        '',
      ].join('\n'),
    );
  });

  it('draws many alike as one line with their sums', () => {
    const many = Array.from({ length: 20 }, (_, n) => ({
      name: 'stage check',
      span: n + 2,
      parent: 1,
      start: n,
      end: n + 1,
      records: 10,
    }));
    write('traces-s-1.jsonl', line('s', [{ name: 'run', span: 1, start: 0, end: 99 }, ...many]));
    const drawn = draw(TRACE).split('\n');
    expect(drawn.length).toBe(1 + 1 + 5 + 1 + 1);
    expect(drawn.at(-2)).toMatch(/^└─ … 15 more stage check, in sum +15 ms {2}records\.in=150$/);
    expect(JSON.stringify(traceJson(TRACE, readTrace(folder, TRACE).roots)).match(/stage check/g)?.length).toBe(20);
  });

  it('shows spans of another trace under the span that they link to', () => {
    write('traces-s-1.jsonl', line('s', [{ name: 'source batch', span: 1, start: 0, end: 5 }]));
    const links = [{ traceId: TRACE, spanId: id(1) }];
    write(
      'traces-w-1.jsonl',
      line('w', [{ name: 'worker window', span: 7, trace: OTHER, start: 9, end: 12, links }]),
      line('w', [{ name: 'stage store', span: 8, parent: 7, trace: OTHER, start: 10, end: 11 }]),
      line('w', [{ name: 'unrelated', span: 9, trace: OTHER, start: 10, end: 11 }]),
    );
    const labels = draw(TRACE)
      .split('\n')
      .map((text) => text.split('  ')[0]);
    expect(labels.slice(1, 3)).toEqual(['source batch [s]', '└─ ↪ worker window [w]']);
    expect(draw(TRACE)).toContain('stage store [w]');
    expect(draw(TRACE)).not.toContain('unrelated');
  });

  it('shows a span whose parent is not at hand as a root, and survives a ring and half a line', () => {
    const whole = line('s', [
      { name: 'orphan', span: 1, parent: 99, start: 0, end: 1 },
      { name: 'ring a', span: 2, parent: 3, start: 0, end: 1 },
      { name: 'ring b', span: 3, parent: 2, start: 0, end: 1 },
    ]);
    write('traces-s-1.jsonl', whole, whole.slice(0, whole.length / 2));
    expect(draw(TRACE)).toContain('orphan');
  });

  it('says what is wrong with an id, and where nothing was found', () => {
    write('traces-s-1.jsonl', line('s', [{ name: 'run', span: 1, start: 0, end: 1 }]));
    expect(() => readTrace(folder, 'abc')).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error);
    expect(() => readTrace(folder, OTHER)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }) as Error);
    expect(() => readTrace(join(folder, 'none'), 'latest')).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND' }) as Error,
    );
    expect(readTrace(folder, TRACE.toUpperCase()).traceId).toBe(TRACE);
  });
});
