import type { TraceSpan } from './span.ts';

export interface TraceNode {
  readonly span: TraceSpan;
  /** The span belongs to another trace and links to its parent here. */
  readonly linked: boolean;
  readonly children: readonly TraceNode[];
}

/**
 * Puts spans under their parents, in the order of their start. A span whose parent is not among them is a root; a span of
 * another trace stands under the first span of this trace that it links to, with its own descendants.
 */
export function traceTree(traceId: string, spans: readonly TraceSpan[]): readonly TraceNode[] {
  const unique = new Map(spans.map((span) => [key(span.traceId, span.spanId), span]));
  const children = Map.groupBy(unique.values(), (span) => parentKey(span, unique) ?? '');
  const linked = Map.groupBy(
    [...unique.values()].filter((span) => span.traceId !== traceId),
    (span) => linkKey(span, traceId, unique) ?? '',
  );

  const node = (span: TraceSpan, isLinked: boolean, path: ReadonlySet<TraceSpan>): TraceNode => {
    const seen = new Set([...path, span]);
    const own = key(span.traceId, span.spanId);
    const below = (children.get(own) ?? []).map((child) => ({ child, isLinked: false }));
    const beside = (linked.get(own) ?? []).map((child) => ({ child, isLinked: true }));
    const nodes = [...below, ...beside]
      // Spans come from files that anybody may have edited: a ring must not keep the view busy for ever.
      .filter(({ child }) => !seen.has(child))
      .sort((a, b) => byStart(a.child, b.child))
      .map((next) => node(next.child, next.isLinked, seen));
    return { span, linked: isLinked, children: nodes };
  };

  const roots = (children.get('') ?? []).filter((span) => span.traceId === traceId).sort(byStart);
  return roots.map((span) => node(span, false, new Set()));
}

function parentKey(span: TraceSpan, known: ReadonlyMap<string, TraceSpan>): string | undefined {
  if (span.parentSpanId === undefined) return undefined;
  const parent = key(span.traceId, span.parentSpanId);
  return known.has(parent) ? parent : undefined;
}

function linkKey(span: TraceSpan, traceId: string, known: ReadonlyMap<string, TraceSpan>): string | undefined {
  return span.links
    .filter((link) => link.traceId === traceId)
    .map((link) => key(link.traceId, link.spanId))
    .find((target) => known.has(target));
}

function key(traceId: string, spanId: string): string {
  return `${traceId}-${spanId}`;
}

function byStart(a: TraceSpan, b: TraceSpan): number {
  return a.start === b.start ? 0 : a.start < b.start ? -1 : 1;
}
