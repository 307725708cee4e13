import type { Finding } from '../../audit/verify/finding.ts';
import type { VerifyReport } from '../../audit/verify/verify.ts';
import type { JsonValue } from '../../core/record.ts';
import { table } from '../terminal/output.ts';

const WIDEST_CELL = 110;
/** Findings that a person is shown one by one; `--json` has them all. */
const FINDINGS_SHOWN = 100;

/** A verification as one JSON document. */
export function reportDocument({ epochs, findings, declaredLosses }: VerifyReport, seconds: number): JsonValue {
  return {
    whole: findings.length === 0,
    seconds: Math.round(seconds * 10) / 10,
    epochs: epochs.map(({ epoch, events, size, checkpoints }) => ({ epoch, events, size, checkpoints })),
    findings: findings as unknown as JsonValue,
    declared_losses: declaredLosses as unknown as JsonValue,
  };
}

/** The same for people. */
export function reportText({ epochs, findings, declaredLosses }: VerifyReport, seconds: number): string {
  const total = epochs.reduce((sum, { events }) => sum + events, 0);
  const rate = Math.round(total / Math.max(seconds, 0.001));
  return [
    table([
      ['epoch', 'events', 'under checkpoint', 'checkpoints', 'findings'],
      ...epochs.map(({ epoch, events, size, checkpoints }) => [
        ...[epoch, events, size, checkpoints].map(String),
        String(findings.filter((finding) => finding.epoch === epoch).length),
      ]),
    ]),
    ...declaredLosses.map(
      ({ epoch, held, declaredIn, declaredAt, time, reason }) =>
        `declared: epoch ${epoch} ended with ${held} events held; event ${declaredIn}/${declaredAt} of ${time} says why: ${reason}`,
    ),
    ...(findings.length === 0 ? [] : ['', findingsText(findings), '']),
    findings.length === 0
      ? `The audit log is whole: ${total} events in ${seconds.toFixed(1)} s (${rate} a second).`
      : `The audit log is not whole: ${findings.length} findings.`,
  ].join('\n');
}

export function findingsText(findings: readonly Finding[]): string {
  const shown = findings.slice(0, FINDINGS_SHOWN);
  const more = findings.length - shown.length;
  return [
    table(
      [
        ['kind', 'events', 'where', 'detail'],
        ...shown.map((finding) => [finding.kind, placesText(finding), finding.where, finding.detail]),
      ],
      WIDEST_CELL,
    ),
    ...(more > 0 ? [`… and ${more} more: --json`] : []),
  ].join('\n');
}

function placesText({ epoch, from, to }: Finding): string {
  if (from === undefined) return to === undefined ? `${epoch}/` : `${epoch}/…${to}`;
  return to === undefined || to === from ? `${epoch}/${from}` : `${epoch}/${from}–${to}`;
}
