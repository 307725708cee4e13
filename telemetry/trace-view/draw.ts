import type { JsonValue } from '../../core/record.ts';
import type { AttributeValue, TraceSpan } from './span.ts';
import type { TraceNode } from './tree.ts';

/** Spans of one name under one parent that are drawn; the rest of them become one line with their sums. */
const DRAWN_ALIKE = 5;
const NANOSECONDS_PER_MILLISECOND = 1e6;
const OWN_PREFIX = 'wardline.';

interface Line {
  readonly label: string;
  readonly milliseconds: number;
  readonly facts: string;
}

/** Draws the trees of a trace for a terminal: a line a span, with its duration and counts; what failed says so. */
export function drawTrace(traceId: string, roots: readonly TraceNode[]): string {
  const lines = branches(roots, '', true);
  const width = Math.max(0, ...lines.map(({ label }) => label.length));
  const drawn = lines.map(({ label, milliseconds, facts }) =>
    `${label.padEnd(width)}  ${duration(milliseconds).padStart(9)}  ${facts}`.trimEnd(),
  );
  return [`trace ${traceId}`, ...drawn, ''].join('\n');
}

/** The same trees as JSON: times in RFC 3339, durations in milliseconds, all spans. */
export function traceJson(traceId: string, roots: readonly TraceNode[]): JsonValue {
  return { trace_id: traceId, spans: roots.map(nodeJson) };
}

function nodeJson({ span, linked, children }: TraceNode): JsonValue {
  return {
    name: span.name,
    service: span.service,
    trace_id: span.traceId,
    span_id: span.spanId,
    start: new Date(Number(span.start) / NANOSECONDS_PER_MILLISECOND).toISOString(),
    duration_ms: millisecondsOf(span),
    failed: span.failed,
    linked,
    attributes: span.attributes,
    children: children.map(nodeJson),
  };
}

function branches(nodes: readonly TraceNode[], indent: string, top: boolean): Line[] {
  const alike = [...Map.groupBy(nodes, ({ span }) => `${span.service} ${span.name}`).values()];
  const items = alike
    .flatMap((group) => {
      const shown = group.length > DRAWN_ALIKE + 1 ? group.slice(0, DRAWN_ALIKE) : group;
      const rest = group.slice(shown.length);
      return [...shown.map((node) => ({ node, rest: [] })), ...(rest.length > 0 ? [{ node: undefined, rest }] : [])];
    })
    .map((item, place) => ({ ...item, place, start: (item.node ?? item.rest[0])?.span.start ?? 0n }))
    .sort((a, b) => (a.start === b.start ? a.place - b.place : a.start < b.start ? -1 : 1));
  return items.flatMap(({ node, rest }, place) => {
    const last = place === items.length - 1;
    const stem = top ? '' : `${indent}${last ? '└─ ' : '├─ '}`;
    const below = top ? '' : `${indent}${last ? '   ' : '│  '}`;
    return node === undefined ? [summary(rest, stem)] : [line(node, stem), ...branches(node.children, below, false)];
  });
}

function line({ span, linked }: TraceNode, stem: string): Line {
  const failure = span.failed ? ' FAILED' : '';
  const label = `${stem}${linked ? '↪ ' : ''}${span.name} [${span.service}]${failure}`;
  return { label, milliseconds: millisecondsOf(span), facts: factsOf(span.attributes) };
}

function summary(nodes: readonly TraceNode[], stem: string): Line {
  const spans = nodes.map(({ span }) => span);
  const failed = spans.filter((span) => span.failed).length;
  const sums: Record<string, number> = {};
  for (const { attributes } of spans)
    for (const [name, value] of Object.entries(attributes))
      if (typeof value === 'number') sums[name] = (sums[name] ?? 0) + value;
  const failure = failed > 0 ? ` (${failed} FAILED)` : '';
  return {
    label: `${stem}… ${nodes.length} more ${spans[0]?.name ?? ''}${failure}, in sum`,
    milliseconds: spans.reduce((sum, span) => sum + millisecondsOf(span), 0),
    facts: factsOf(sums),
  };
}

function factsOf(attributes: Readonly<Record<string, AttributeValue>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${shortName(name)}=${String(value)}`)
    .join(' ');
}

function shortName(name: string): string {
  return name.startsWith(OWN_PREFIX) ? name.slice(OWN_PREFIX.length) : name.slice(name.lastIndexOf('.') + 1);
}

function millisecondsOf({ start, end }: TraceSpan): number {
  return Number(end - start) / NANOSECONDS_PER_MILLISECOND;
}

function duration(milliseconds: number): string {
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(2)} s`;
  return `${milliseconds.toFixed(milliseconds >= 10 ? 0 : 1)} ms`;
}
