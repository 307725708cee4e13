import { z } from 'zod';
import { parseJws, signJws, verifyJws } from '../../audit/signature/jws.ts';
import type { SigningKey, TrustedKeys } from '../../audit/signature/signing-key.ts';
import { canonicalJson } from '../../core/encoding/canonical-json.ts';
import { WardlineError } from '../../core/errors/errors.ts';

const DRILL_FORMAT = 1;
/** The `typ` of a report's JWS (RFC 8725 section 3.11). */
const REPORT_TYPE = 'wardline-drill+jws';
/** Who may sign one. */
const SIGNER = 'archiver';

const count = z.int().min(0);
const time = z.iso.datetime();
const figures = z.strictObject({ rows: count, digest: z.string() });

const check = z.strictObject({
  /** What was asked. */
  name: z.string(),
  passed: z.boolean(),
  /** What was found. */
  found: z.string(),
});

const table = z.strictObject({
  name: z.string(),
  /** As of the backup's snapshot, rows left out whose life is over. */
  backedUp: z.strictObject({ rows: count }),
  /** Rows that came out of the log archive. */
  replayed: count,
  /** In the end. */
  restored: figures,
});

const reportSchema = z.strictObject({
  format: z.literal(DRILL_FORMAT),
  id: z.string(),
  install: z.string(),
  backup: z.string(),
  snapshotAt: time,
  startedAt: time,
  endedAt: time,
  passed: z.boolean(),
  checks: z.array(check),
  /** Time from an event's acknowledgement by Kafka until the log archive held it; null where it could not be measured. */
  rpoSeconds: z.number().min(0).nullable(),
  /** Time from no servers at all to servers that serve what was restored and verified; null where it did not come so far. */
  rtoSeconds: z.number().min(0).nullable(),
  tables: z.array(table),
  topics: z.array(z.strictObject({ name: z.string(), messages: count })),
  keys: z.strictObject({ restored: count, erased: count, unreadable: count }).nullable(),
  audit: z.strictObject({ events: count, findings: count, declaredLosses: count }).nullable(),
});

/** What a drill did and found. */
export type DrillReport = Readonly<z.infer<typeof reportSchema>>;
export type DrillCheck = Readonly<z.infer<typeof check>>;

/** Everything of a report but what is known only in the end. */
export type DrillFindings = Omit<DrillReport, 'format' | 'passed'>;

/** A drill has passed where something was checked and every check passed. */
export function drillReport(findings: DrillFindings): DrillReport {
  const passed = findings.checks.length > 0 && findings.checks.every((one) => one.passed);
  return { format: DRILL_FORMAT, passed, ...findings };
}

/** A report as it is stored: a compact JWS (RFC 7515) by Ed25519 over its canonical JSON (RFC 8785). */
export function signReport(report: DrillReport, key: SigningKey): string {
  return signJws(canonicalJson(report), key, REPORT_TYPE);
}

/** Reads a report. Throws OBJECT_DAMAGED where it is not one that the installation's archiver signed. */
export function openReport(text: string, trusted: TrustedKeys): DrillReport {
  const jws = parseJws(text);
  const key = jws === undefined ? undefined : trusted.get(jws.header.kid);
  const isGenuine = jws?.header.typ === REPORT_TYPE && key?.principal === SIGNER && verifyJws(jws, key.publicKey);
  const read = isGenuine ? reportSchema.safeParse(JSON.parse(jws.payload.toString('utf8'))) : undefined;
  if (read?.success === true) return read.data;
  throw new WardlineError('OBJECT_DAMAGED', 'it is no report of a drill that the archiver signed');
}
