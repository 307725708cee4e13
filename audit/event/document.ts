import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { lengthPrefixed } from '../../core/encoding/length-prefixed.ts';
import { holdsSecret } from '../../telemetry/redaction/secrets.ts';
import { AUDIT_ACTIONS, isAuditAction } from './actions.ts';
import type { EventStatement } from './event.ts';

const ID_BYTES = 16;
const SHORT_TEXT = 256;

const shortText = z.string().min(1).max(SHORT_TEXT);

/** An audit event as it is signed: the payload of the message on the topic. No other members are allowed. */
const eventDocumentSchema = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9_-]{22}$/),
  time: z.iso.datetime({ precision: 3 }),
  install: shortText,
  actor: z.strictObject({ principal: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/), host: shortText }),
  action: z.string().refine(isAuditAction, {
    error: () => `is not one of ${Object.keys(AUDIT_ACTIONS).join(', ')}`,
  }),
  object: z.strictObject({ type: shortText, id: z.string().min(1).max(1024) }),
  outcome: z.enum(['success', 'denied', 'failure']),
  code: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,63}$/)
    .exactOptional(),
  counts: z.record(shortText, z.int().min(0)).exactOptional(),
  contract: z
    .strictObject({ id: shortText, version: shortText, hash: z.string().regex(/^[0-9a-f]{64}$/) })
    .exactOptional(),
  trace_id: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .exactOptional(),
  span_id: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .exactOptional(),
  details: z
    .record(shortText, z.json())
    .refine((details) => !holdsSecret(details), { error: 'holds what looks like a secret' })
    .exactOptional(),
});

export type EventDocument = z.infer<typeof eventDocumentSchema>;

/** Who writes events, and what makes their ids and times. */
export interface EventAuthor {
  readonly principal: string;
  readonly host: string;
  /** Identifies the installation (`Home.install`). */
  readonly install: string;
  readonly clock: Clock;
  /** `count` random bytes; node:crypto's unless a test decides. */
  readonly random?: ((count: number) => Uint8Array) | undefined;
}

/** Makes the event that a statement becomes. Throws AUDIT_EVENT_INVALID, naming the members that are wrong but not their values. */
export function eventDocument(statement: EventStatement, author: EventAuthor): EventDocument {
  const { action, object, outcome, code, counts, contract, traceId, spanId, details } = statement;
  const members = {
    id: eventId(statement, author),
    time: timeText(statement.time ?? author.clock.now()),
    install: author.install,
    actor: { principal: author.principal, host: author.host },
    ...{ action, object, outcome, code, counts, contract, trace_id: traceId, span_id: spanId, details },
  };
  return parseEventDocument(Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)));
}

/** A time that is none becomes a text that is refused like any other wrong member. */
function timeText(milliseconds: number): string {
  const time = new Date(milliseconds);
  return Number.isNaN(time.getTime()) ? 'no time' : time.toISOString();
}

/** Reads what claims to be an event's document. Throws AUDIT_EVENT_INVALID. */
export function parseEventDocument(value: unknown): EventDocument {
  const document = eventDocumentSchema.safeParse(value);
  if (document.success) return document.data;
  const problems = document.error.issues.map((issue) => `${issue.path.join('.') || 'the event'}: ${issue.message}`);
  throw new WardlineError('AUDIT_EVENT_INVALID', `not an audit event: ${problems.join('; ')}`, {
    hint: 'state only actions, ids, counts and ranges, never values or secrets',
  });
}

/** 16 bytes in base64url: the beginning of SHA-256 over install, principal, action and identity; random without an identity. */
function eventId({ action, identity }: EventStatement, author: EventAuthor): string {
  if (identity === undefined) return Buffer.from((author.random ?? randomBytes)(ID_BYTES)).toString('base64url');
  const parts = lengthPrefixed([author.install, author.principal, action, ...identity]);
  return createHash('sha256').update(parts).digest().subarray(0, ID_BYTES).toString('base64url');
}
