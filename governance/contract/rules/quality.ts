import { Fault } from '../cql/fault.ts';
import type { CqlType, CqlValue, Spelling } from '../cql/cql-type.ts';
import { pathText, type Path, type Problems } from '../document/problems.ts';
import type { QualityDocument } from '../document/shape.ts';
import { compileThreshold, type Threshold } from './threshold.ts';
import { safePattern } from './pattern.ts';
import type { QualityRule } from './property-model.ts';

interface Notes {
  readonly problems: Problems;
  readonly notEnforced: string[];
}

/** An alarm over a window of records. */
export interface WindowRule {
  readonly metric: 'rowCount' | 'duplicateValues';
  /** The properties that are counted together; empty for whole rows. */
  readonly properties: readonly string[];
  readonly severity: 'error' | 'warning';
  /** Such as `must be greater than 0`. */
  readonly text: string;
  /** True where the count keeps the rule. */
  readonly holds: Threshold['holds'];
}

type Broken = QualityRule['broken'];
type Typing = { readonly type: CqlType; readonly spelling: Spelling };

/** Metrics that one record can be judged by. */
const RECORD_METRICS: Readonly<
  Record<string, { detail: string; compile(rule: QualityDocument, typing: Typing): Broken | { problem: string } }>
> = {
  nullValues: { detail: 'has no value', compile: () => (value) => value === null },
  missingValues: { detail: 'counts as missing', compile: missingValues },
  invalidValues: { detail: 'is not among the valid values', compile: invalidValues },
};

/** The rules that each record of a property is held to. Rules that cannot be enforced are listed as such. */
export function recordRules(
  given: readonly QualityDocument[],
  typing: Typing,
  path: Path,
  notes: Notes,
): QualityRule[] {
  return given.flatMap((rule, index): QualityRule[] => {
    const here = [...path, 'quality', index];
    const enforceable = enforced(rule, here, notes);
    if (enforceable === undefined) return [];
    const metric = RECORD_METRICS[rule.metric ?? ''];
    if (metric === undefined) {
      notes.problems.add(
        here,
        `the metric ${rule.metric ?? '(none)'} is for a table; a property has ${Object.keys(RECORD_METRICS).join(', ')}`,
      );
      return [];
    }
    if (!enforceable.threshold.holds(0)) {
      notes.problems.add(
        here,
        'no record could pass: the threshold must allow 0, as every record that breaks the rule is counted',
      );
      return [];
    }
    const broken = metric.compile(rule, typing);
    if ('problem' in broken) {
      notes.problems.add([...here, 'arguments'], broken.problem);
      return [];
    }
    return [{ severity: enforceable.severity, fault: new Fault('VALUE_NOT_ALLOWED', metric.detail), broken }];
  });
}

/** The rules of a table: alarms over a window. */
export function windowRules(
  given: readonly QualityDocument[],
  properties: readonly string[],
  path: Path,
  notes: Notes,
): WindowRule[] {
  return given.flatMap((rule, index): WindowRule[] => {
    const here = [...path, 'quality', index];
    const enforceable = enforced(rule, here, notes);
    if (enforceable === undefined) return [];
    if (rule.metric !== 'rowCount' && rule.metric !== 'duplicateValues') {
      notes.problems.add(
        here,
        `the metric ${rule.metric ?? '(none)'} is for a property; a table has rowCount, duplicateValues`,
      );
      return [];
    }
    const named = rule.arguments?.['properties'] ?? [];
    if (!Array.isArray(named) || !named.every((name) => properties.includes(name as string))) {
      notes.problems.add([...here, 'arguments'], 'properties must be a list of property names of this table');
      return [];
    }
    const { severity, threshold } = enforceable;
    return [
      {
        metric: rule.metric,
        properties: named as string[],
        severity,
        text: threshold.text,
        holds: (count) => threshold.holds(count),
      },
    ];
  });
}

function enforced(rule: QualityDocument, path: Path, { problems, notEnforced }: Notes) {
  const severity = rule.severity ?? 'error';
  if (rule.type !== 'library' || (severity !== 'error' && severity !== 'warning')) {
    notEnforced.push(pathText(path));
    return undefined;
  }
  if (rule.metric === undefined) {
    problems.add(path, 'a library rule needs a metric');
    return undefined;
  }
  const threshold = compileThreshold(rule);
  if (typeof threshold === 'object') return { severity, threshold } as const;
  problems.add(path, threshold);
  return undefined;
}

function missingValues(rule: QualityDocument, { type }: Typing): Broken | { problem: string } {
  const listed = rule.arguments?.['missingValues'] ?? [null, ''];
  if (!Array.isArray(listed)) return { problem: 'missingValues must be a list' };
  const texts = new Set(listed.filter((value) => value !== null).map(String));
  const nullIsMissing = listed.includes(null);
  return (value, raw) =>
    value === null ? nullIsMissing : texts.has(typeof raw === 'string' ? raw : type.canonical(value));
}

function invalidValues(rule: QualityDocument, { type, spelling }: Typing): Broken | { problem: string } {
  const { validValues, pattern } = rule.arguments ?? {};
  if ((validValues === undefined) === (pattern === undefined))
    return { problem: 'needs either validValues or pattern' };
  if (pattern !== undefined) {
    const compiled = safePattern(pattern);
    if ('problem' in compiled) return compiled;
    return (value) => value !== null && !compiled.matches(type.canonical(value));
  }
  if (!Array.isArray(validValues)) return { problem: 'validValues must be a list' };
  const valid = new Set<string>();
  for (const given of validValues as unknown[]) {
    const value: CqlValue | Fault = type.fromSource(given, spelling);
    if (value instanceof Fault) return { problem: `${JSON.stringify(given)} in validValues is no ${type.name}` };
    valid.add(type.canonical(value));
  }
  return (value) => value !== null && !valid.has(type.canonical(value));
}
