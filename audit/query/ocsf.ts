import type { JsonValue } from '../../core/record.ts';
import { payloadOf } from '../store/columns.ts';
import type { FoundEvent } from './query.ts';

/** OCSF 1.3: class API Activity of the category Application Activity. */
const VERSION = '1.3.0';
const CATEGORY = 6;
const CLASS = 6003;

/** Activities of the class, by the verb of the action; any other verb is 99, "Other", under its own name. */
const ACTIVITIES: readonly { readonly id: number; readonly name: string; readonly verbs: readonly string[] }[] = [
  { id: 1, name: 'Create', verbs: ['create', 'mint', 'provision', 'apply', 'open', 'up', 'start'] },
  {
    id: 2,
    name: 'Read',
    verbs: ['list', 'show', 'check', 'query', 'verify', 'prove', 'checkpoint', 'record', 'key', 'stats'],
  },
  { id: 3, name: 'Update', verbs: ['rotate', 'replay', 'change'] },
  { id: 4, name: 'Delete', verbs: ['destroy', 'wipe'] },
];
const OTHER = 99;

/** Status and severity of each outcome. */
const OUTCOMES: Readonly<
  Record<string, { readonly status: number; readonly name: string; readonly severity: number }>
> = {
  success: { status: 1, name: 'Success', severity: 1 },
  denied: { status: 2, name: 'Failure', severity: 3 },
  failure: { status: 2, name: 'Failure', severity: 2 },
};
const UNKNOWN = { status: 0, name: 'Unknown', severity: 0 };

type Members = Readonly<Record<string, JsonValue>>;

/**
 * An event in the form of the Open Cybersecurity Schema Framework, for whoever gathers events of many systems. What OCSF
 * has no member for is in `unmapped`. Undefined where a message is no event.
 */
export function ocsfOf({ epoch, sequence, message, columns }: FoundEvent): JsonValue | undefined {
  const said = message === undefined ? undefined : (payloadOf(message) as Members | undefined);
  if (said === undefined || columns.action === null) return undefined;
  const verb = columns.action.slice(columns.action.lastIndexOf('.') + 1);
  // To open a sealed field is to read it; to open an epoch is to make one.
  const wanted = columns.action === 'read.open' ? 'show' : verb;
  const activity = ACTIVITIES.find(({ verbs }) => verbs.includes(wanted)) ?? { id: OTHER, name: verb };
  const outcome = OUTCOMES[columns.outcome ?? ''] ?? UNKNOWN;
  const { counts, details, contract, span_id: spanId, code } = said;
  const unmapped = { epoch, counts, details, contract, span_id: spanId };
  return {
    category_uid: CATEGORY,
    class_uid: CLASS,
    activity_id: activity.id,
    activity_name: activity.name,
    type_uid: CLASS * 100 + activity.id,
    time: columns.time ?? 0,
    severity_id: outcome.severity,
    status_id: outcome.status,
    status: outcome.name,
    status_detail: columns.outcome ?? '',
    ...(code === undefined ? {} : { status_code: code }),
    actor: { user: { name: columns.actor ?? '', type: 'System', type_id: 3 } },
    api: { operation: columns.action, service: { name: 'wardline' } },
    src_endpoint: { hostname: hostOf(said) },
    resources: [{ type: columns.objectType ?? '', name: columns.objectId ?? '' }],
    metadata: {
      version: VERSION,
      uid: said['id'] ?? '',
      sequence,
      log_name: 'wardline.audit',
      product: { name: 'Wardline', vendor_name: 'Wardline' },
      ...(columns.traceId === null ? {} : { correlation_uid: columns.traceId }),
    },
    unmapped: Object.fromEntries(Object.entries(unmapped).filter(([, value]) => value !== undefined)) as Members,
  };
}

function hostOf({ actor }: Members): string {
  const host = typeof actor === 'object' && actor !== null && 'host' in actor ? actor['host'] : '';
  return typeof host === 'string' ? host : '';
}
