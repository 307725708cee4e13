import type { JsonValue } from '../../core/record.ts';
import { table } from '../terminal/output.ts';
import type { Check, Result } from './check.ts';

/** A check with what came of it. */
export interface Examined {
  readonly check: Check;
  readonly result: Result;
}

const WIDEST_CELL = 90;

/** An examination as one JSON document. */
export function reportDocument(examined: readonly Examined[]): JsonValue {
  return {
    ...count(examined),
    checks: examined.map(({ check: { id, title, remedy }, result: { state, evidence } }) => ({
      ...{ id, title, state, evidence },
      ...(state === 'failed' ? { remedy } : {}),
    })),
  };
}

/** The same for people. */
export function reportText(examined: readonly Examined[]): string {
  const { failed, held, notTried } = count(examined);
  const failures = examined.filter(({ result }) => result.state === 'failed');
  return [
    table(
      [
        ['', 'what was tried', 'what came of it'],
        ...examined.map(({ check, result }) => [MARKS[result.state], check.title, result.evidence]),
      ],
      WIDEST_CELL,
    ),
    ...failures.flatMap(({ check, result }) => ['', `${check.id}: ${result.evidence}`, `  → ${check.remedy}`]),
    '',
    `${held} held, ${failed} failed, ${notTried} could not be tried from here.`,
  ].join('\n');
}

const MARKS: Readonly<Record<Result['state'], string>> = { held: 'held', failed: 'FAILED', 'not tried': 'not tried' };

function count(examined: readonly Examined[]) {
  const of = (state: Result['state']): number => examined.filter(({ result }) => result.state === state).length;
  return { held: of('held'), failed: of('failed'), notTried: of('not tried') };
}

/** Failures as a log of the Static Analysis Results Interchange Format, version 2.1.0 (OASIS). */
export function sarif(examined: readonly Examined[]): JsonValue {
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'wardline doctor',
            rules: examined.map(({ check: { id, title, remedy } }) => ({
              ...{ id, shortDescription: { text: title }, help: { text: remedy } },
            })),
          },
        },
        results: examined.flatMap(({ check: { id, title }, result: { state, evidence } }, ruleIndex) =>
          state === 'failed'
            ? [{ ruleId: id, ruleIndex, level: 'error', message: { text: `${title}: ${evidence}` } }]
            : [],
        ),
      },
    ],
  };
}
