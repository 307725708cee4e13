/** What can be asked of an event, read out of its message. Null where the message does not say it. */
export interface EventColumns {
  readonly actor: string | null;
  readonly action: string | null;
  readonly objectType: string | null;
  readonly objectId: string | null;
  readonly outcome: string | null;
  readonly traceId: string | null;
  /** Milliseconds since the epoch, as the actor's clock had it. */
  readonly time: number | null;
}

const NOTHING: EventColumns = {
  actor: null,
  action: null,
  objectType: null,
  objectId: null,
  outcome: null,
  traceId: null,
  time: null,
};

/**
 * Reads the columns out of a message of the audit topic without verifying it: whatever stands on the topic has its place
 * in the log, and what is no event has no columns. Equal bytes give equal columns.
 */
export function columnsOf(message: Buffer | undefined): EventColumns {
  const document = message === undefined ? undefined : payloadOf(message);
  if (document === undefined) return NOTHING;
  const object = membersOf(document['object']);
  return {
    actor: textOf(membersOf(document['actor'])['principal']),
    action: textOf(document['action']),
    objectType: textOf(object['type']),
    objectId: textOf(object['id']),
    outcome: textOf(document['outcome']),
    traceId: textOf(document['trace_id']),
    time: timeOf(document['time']),
  };
}

/** The JSON object that a message claims as its payload, verified by nobody; undefined where there is none. */
export function payloadOf(message: Buffer): Readonly<Record<string, unknown>> | undefined {
  const start = message.indexOf(DOT) + 1;
  const end = message.indexOf(DOT, start);
  if (start === 0 || end < 0) return undefined;
  try {
    const payload = Buffer.from(message.toString('latin1', start, end), 'base64url').toString('utf8');
    const value: unknown = JSON.parse(payload);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

const DOT = '.'.charCodeAt(0);

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function timeOf(value: unknown): number | null {
  const time = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isNaN(time) ? null : time;
}
