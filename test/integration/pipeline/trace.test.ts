import { beforeAll, describe, expect, it } from 'vitest';
import { contractVariant } from '../../support/inputs/contract-variant.ts';
import { scratch } from '../../support/scratch.ts';
import { csvOf, readings, SMART_HOME_COLUMNS } from '../../support/inputs/smart-home-csv.ts';
import { withStack } from '../../support/stack.ts';
import { wardline, wardlineOn } from '../../support/wardline.ts';

const STAGES = ['source', 'check', 'seal', 'produce', 'consume', 'transform', 'store', 'dead-letter'];

interface SpanNode {
  readonly name: string;
  readonly trace_id: string;
  readonly children: readonly SpanNode[];
}

/** Names of all spans of one trace, however deep. */
function namesIn(nodes: readonly SpanNode[], id: string): string[] {
  return nodes.flatMap((node) => [...(node.trace_id === id ? [node.name] : []), ...namesIn(node.children, id)]);
}

/** All spans of a name, however deep. */
function findAll(nodes: readonly SpanNode[], name: string): SpanNode[] {
  return nodes.flatMap((node) => [...(node.name === name ? [node] : []), ...findAll(node.children, name)]);
}

const home = withStack().home.path;
const files = scratch();
const contract = contractVariant('smart-home', files.folder, 'traced');
let traceId: string;

beforeAll(async () => {
  const rows = readings(20).map((row, index) => (index === 7 ? { ...row, 'use [kW]': 'none' } : row));
  const path = files.file('traced.csv', csvOf(rows, SMART_HOME_COLUMNS));
  const source = ['--source', 'csv', '--path', path, '--set', 'home_id=traced-home'];
  traceId = String((await wardlineOn(home, ['run', '--contract', contract.path, ...source])).json['trace_id']);
});

describe('the trace of a run', () => {
  it('is one tree with a span of every stage, through Kafka to the rows', async () => {
    const { json } = await wardlineOn(home, ['trace', traceId]);
    expect(json['trace_id']).toBe(traceId);
    expect(json['spans']).toHaveLength(1);
    const names = namesIn(json['spans'] as SpanNode[], traceId);
    for (const stage of STAGES) expect(names).toContain(`stage ${stage}`);
    // What makes a window final: its events, and only then its offsets.
    const [window] = findAll(json['spans'] as SpanNode[], 'worker window');
    expect(window?.children.map(({ name }) => name)).toEqual(['audit append', 'commit offsets']);
  });

  it('is drawn for people, and found as the latest', async () => {
    const drawn = await wardline(['trace', 'latest', '--home', home]);
    expect(drawn.code).toBe(0);
    expect(drawn.stdout).toContain(traceId);
    for (const stage of STAGES) expect(drawn.stdout).toMatch(new RegExp(`─ stage ${stage} `));
  });

  it('of a read is one of its own, which its audit events name', async () => {
    await wardlineOn(home, ['read', 'traced-home', '--contract', contract.path, '--purpose', 'billing']);
    const { json } = await wardlineOn(home, ['trace', 'latest']);
    expect(json['trace_id']).not.toBe(traceId);
    expect((json['spans'] as SpanNode[]).map(({ name }) => name)).toEqual(['read']);
  });

  it('is not found under another id', async () => {
    const { error } = await wardlineOn(home, ['trace', 'f'.repeat(32)], 1);
    expect(error?.code).toBe('NOT_FOUND');
  });
});
