/** A small contract that is valid, for tests to change. */
export type Property = Record<string, unknown>;
export interface Draft {
  [key: string]: unknown;
  servers: Record<string, unknown>[];
  schema: { name: string; physicalName?: string; properties: Property[]; quality?: unknown[] }[];
  roles: Record<string, unknown>[];
  slaProperties: Record<string, unknown>[];
}

export function draft(): Draft {
  return {
    apiVersion: 'v3.1.0',
    kind: 'DataContract',
    id: 'meters',
    version: '1.0.0',
    status: 'active',
    servers: [{ server: 'cassandra', type: 'custom', schema: 'meters' }],
    schema: [
      {
        name: 'readings',
        properties: [
          { name: 'meter', logicalType: 'string', required: true, partitioned: true, partitionKeyPosition: 1 },
          { name: 'ts', logicalType: 'timestamp', required: true, primaryKey: true, primaryKeyPosition: 2 },
          { name: 'power', logicalType: 'number', classification: 'personal' },
          { name: 'voltage', logicalType: 'number' },
        ],
      },
    ],
    roles: [],
    slaProperties: [],
  };
}

export const extra = (property: string, value: unknown) => ({ customProperties: [{ property, value }] });
export const derived = (name: string, transformLogic: string, more: Property = {}): Property => ({
  name,
  logicalType: 'number',
  transformLogic,
  ...more,
});
