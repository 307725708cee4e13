import { z } from 'zod';
import { CLASSIFICATIONS } from '../../../core/classification.ts';

/** The shape of the keys that Wardline reads. Keys themselves are checked by keys.ts, rules across keys by the rules folder. */
const text = z.string().min(1, 'must not be empty');
const customProperties = z.array(z.object({ property: text, value: z.unknown() })).default([]);

const quality = z.object({
  type: z.enum(['text', 'library', 'sql', 'custom']).default('library'),
  metric: z.enum(['nullValues', 'missingValues', 'invalidValues', 'duplicateValues', 'rowCount']).optional(),
  severity: text.optional(),
  arguments: z.record(z.string(), z.unknown()).optional(),
  mustBe: z.unknown().optional(),
  mustNotBe: z.unknown().optional(),
  mustBeGreaterThan: z.number().optional(),
  mustBeGreaterOrEqualTo: z.number().optional(),
  mustBeLessThan: z.number().optional(),
  mustBeLessOrEqualTo: z.number().optional(),
  mustBeBetween: z.tuple([z.number(), z.number()]).optional(),
  mustNotBeBetween: z.tuple([z.number(), z.number()]).optional(),
});

const position = z.int().default(-1);

const property = z.object({
  name: text,
  logicalType: z.enum(['string', 'number', 'integer', 'boolean', 'date', 'timestamp']).optional(),
  logicalTypeOptions: z.record(z.string(), z.unknown()).default({}),
  physicalType: z.enum(['double', 'bigint', 'int', 'text', 'boolean', 'date', 'timestamp', 'decimal']).optional(),
  encryptedName: text.optional(),
  required: z.boolean().default(false),
  partitioned: z.boolean().default(false),
  partitionKeyPosition: position,
  primaryKey: z.boolean().default(false),
  primaryKeyPosition: position,
  transformSourceObjects: z.array(text).optional(),
  transformLogic: text.optional(),
  classification: z.enum(CLASSIFICATIONS).default('internal'),
  quality: z.array(quality).default([]),
  customProperties,
});

const schemaObject = z.object({
  name: text,
  physicalName: text.optional(),
  properties: z.array(property).min(1, 'must name at least one property'),
  quality: z.array(quality).default([]),
});

export const documentShape = z.object({
  apiVersion: z.literal('v3.1.0'),
  kind: z.literal('DataContract'),
  id: text,
  version: text,
  status: text,
  servers: z
    .array(
      z.object({
        server: text,
        type: text,
        path: text.optional(),
        format: text.optional(),
        schema: text.optional(),
        host: text.optional(),
      }),
    )
    .default([]),
  schema: z.array(schemaObject).min(1, 'must hold one table'),
  roles: z.array(z.object({ role: text, access: text.optional(), customProperties })).default([]),
  slaProperties: z.array(z.object({ property: text, value: z.unknown(), unit: text.optional() })).default([]),
});

export type ContractDocument = z.infer<typeof documentShape>;
export type PropertyDocument = z.infer<typeof property>;
export type QualityDocument = z.infer<typeof quality>;
export type CustomPropertyDocument = z.infer<typeof customProperties>[number];
