import { int64 } from '../store/events.ts';

/** What events are asked for; every member that is given must fit. */
export interface EventFilter {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly objectType?: string | undefined;
  readonly objectId?: string | undefined;
  readonly outcome?: string | undefined;
  readonly traceId?: string | undefined;
  /** Milliseconds since the epoch, by the actor's clock: from then on, and before. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

interface Condition {
  readonly cql: string;
  readonly value: (filter: EventFilter) => string | Buffer | undefined;
  /** Set where no index knows it: Cassandra looks at each row of the stretch that is asked for. */
  readonly filters?: true;
}

const time = (value: number | undefined): Buffer | undefined => (value === undefined ? undefined : int64(value));

/** How each member of a filter is asked of Cassandra. */
const CONDITIONS: readonly Condition[] = [
  { cql: 'actor = ?', value: ({ actor }) => actor },
  { cql: 'action = ?', value: ({ action }) => action },
  { cql: 'object_type = ?', value: ({ objectType }) => objectType },
  { cql: 'object_id = ?', value: ({ objectId }) => objectId },
  { cql: 'outcome = ?', value: ({ outcome }) => outcome },
  { cql: 'trace_id = ?', value: ({ traceId }) => traceId },
  { cql: 'time >= ?', value: ({ since }) => time(since), filters: true },
  { cql: 'time < ?', value: ({ until }) => time(until), filters: true },
];

/** The filter as the end of a CQL query, beginning with AND, and its values. */
export function filterCql(filter: EventFilter): { readonly cql: string; readonly values: readonly unknown[] } {
  const asked = CONDITIONS.filter(({ value }) => value(filter) !== undefined);
  return {
    cql: [
      ...asked.map(({ cql }) => ` AND ${cql}`),
      ...(asked.some(({ filters }) => filters) ? [' ALLOW FILTERING'] : []),
    ].join(''),
    values: asked.map(({ value }) => value(filter)),
  };
}
