import { readFileSync } from 'node:fs';
import { WardlineError } from '../../core/errors/errors.ts';
import { rotatedFiles } from '../files/rotating-file.ts';
import { parseSpans, type TraceSpan } from './span.ts';
import { traceTree, type TraceNode } from './tree.ts';

const TRACE_ID = /^[0-9a-f]{32}$/;
const PREFIX = 'traces';

/**
 * Reads one trace from the home's telemetry folder: its spans, and those of other traces that link to it, as trees.
 * `latest` takes the trace whose span ended last. Throws USAGE for what is no trace id, NOT_FOUND where no file has it.
 */
export function readTrace(
  folder: string,
  id: string,
): { readonly traceId: string; readonly roots: readonly TraceNode[] } {
  const traceId = id === 'latest' ? latestTraceId(folder) : id.toLowerCase();
  if (!TRACE_ID.test(traceId))
    throw new WardlineError('USAGE', `${id} is not a trace id`, { hint: 'give 32 hexadecimal digits, or latest' });
  const found = spansWith(folder, [traceId]);
  const others = found.filter((span) => span.traceId !== traceId).map((span) => span.traceId);
  const spans = others.length === 0 ? found : spansWith(folder, [traceId, ...others]);
  const roots = traceTree(traceId, spans);
  if (roots.length === 0) throw notFound(`no span of trace ${traceId} is in ${folder}`);
  return { traceId, roots };
}

function latestTraceId(folder: string): string {
  let latest: TraceSpan | undefined;
  for (const line of lines(folder))
    for (const span of parseSpans(line)) if (latest === undefined || span.end > latest.end) latest = span;
  if (latest === undefined) throw notFound(`no trace is in ${folder}`);
  return latest.traceId;
}

/** Spans of the traces, and spans that link to one of them. Only lines that hold an id are parsed at all. */
function spansWith(folder: string, traceIds: readonly string[]): TraceSpan[] {
  const wanted = new Set(traceIds);
  const found: TraceSpan[] = [];
  for (const line of lines(folder)) {
    if (!traceIds.some((id) => line.includes(id))) continue;
    for (const span of parseSpans(line))
      if (wanted.has(span.traceId) || span.links.some((link) => wanted.has(link.traceId))) found.push(span);
  }
  return found;
}

function* lines(folder: string): Generator<string, void> {
  for (const path of rotatedFiles(folder, PREFIX))
    for (const line of readFileSync(path, 'utf8').split('\n')) if (line !== '') yield line;
}

function notFound(message: string): WardlineError {
  return new WardlineError('NOT_FOUND', message, {
    hint: 'spans are written a second after they end and kept in rotated files; with an OTLP endpoint they are at the collector',
  });
}
