import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { connectionSchema, withAbsolutePaths, type Connection } from './connection.ts';
import { WardlineError } from './errors/errors.ts';
import { readIfPresent } from './files.ts';
import type { Home } from './home.ts';

/** Without TLS the names of objects, and what a store says of itself, could be read and changed on the way. */
function isHttpsOrLoopback(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname));
}

/** Every setting with its default. `wardline.example.yaml` shows the same, commented; a test holds the two together. */
export const settingsSchema = z.strictObject({
  connection: connectionSchema.optional(),
  contracts: z.strictObject({ folder: z.string().optional() }).prefault({}),
  servers: z
    .strictObject({
      kafkaHeapMegabytes: z.int().min(128).default(384),
      cassandraHeapMegabytes: z.int().min(384).default(1024),
    })
    .prefault({}),
  topics: z
    .strictObject({ partitions: z.int().min(1).default(6), replicationFactor: z.int().min(1).default(1) })
    .prefault({}),
  source: z
    .strictObject({
      /** Records sealed and sent together. */
      batchRecords: z.int().min(1).max(10_000).default(1000),
      sealThreads: z.int().min(1).max(64).default(2),
      rowLimitBytes: z
        .int()
        .min(1024)
        .default(16 * 1024 * 1024),
    })
    .prefault({}),
  worker: z
    .strictObject({
      /** A window ends after this many records or this time, whichever is first; it is the unit of audit and of commit. */
      windowRecords: z.int().min(1).max(10_000).default(10_000),
      windowMilliseconds: z.int().min(10).max(1000).default(1000),
      batchesInFlight: z.int().min(1).max(256).default(16),
      rowsPerBatch: z.int().min(1).max(1000).default(100),
      /** Kilobytes of values in one batch; must stay under the servers' `batch_size_fail_threshold`. */
      kilobytesPerBatch: z.int().min(1).max(10_000).default(256),
    })
    .prefault({}),
  backup: z
    .strictObject({
      /** Where backups and the log archive go: a folder, or `s3://bucket/prefix`. Without it, a folder in the home. */
      store: z.string().optional(),
      /** Where data keys are escrowed; a place without versioning and object lock. Without it, a folder in the home. */
      escrow: z.string().optional(),
      /** Both stores are seen as they were then, and nothing is written: for a home that tries what another's hold. */
      asOf: z.iso.datetime().optional(),
      s3: z
        .strictObject({
          /** Without one, Amazon's own. Credentials come from where the AWS SDK looks for them. */
          endpoint: z.url().refine(isHttpsOrLoopback, 'must be https outside one machine').optional(),
          region: z.string().default('us-east-1'),
          /** Buckets by path instead of by host name, as most servers other than Amazon's want it. */
          pathStyle: z.boolean().default(false),
          /** Objects of backups are locked (governance mode) for so many days; 0 is not at all. Keys never are. */
          lockDays: z.int().min(0).default(0),
        })
        .prefault({}),
      /** How long a command waits for a store that does not answer before it gives up. */
      patienceSeconds: z.int().min(1).default(60),
      /** How long a backup or a restore waits for the part of each other node of the cluster. */
      nodePatienceSeconds: z.int().min(1).default(3600),
      archive: z
        .strictObject({
          /** A chunk is written after this time or size, whichever is first: the time is the RPO. */
          chunkSeconds: z.int().min(1).max(5).default(2),
          chunkMegabytes: z.int().min(1).max(8).default(8),
          /** An alarm is raised where what is not archived is older than this. */
          lagSeconds: z.int().min(5).default(60),
        })
        .prefault({}),
      /** What `backup prune` keeps: a backup that any of these asks for stays. */
      retention: z
        .strictObject({
          keepLast: z.int().min(1).default(3),
          hourly: z.int().min(0).default(24),
          daily: z.int().min(0).default(7),
          weekly: z.int().min(0).default(4),
          monthly: z.int().min(0).default(12),
          withinHours: z.int().min(0).default(24),
        })
        .prefault({}),
      /** Cron expressions of five fields; an empty text switches the task off. */
      schedule: z
        .strictObject({
          timeZone: z.string().default('UTC'),
          snapshot: z.string().default('0 * * * *'),
          verify: z.string().default('30 3 * * *'),
          prune: z.string().default('45 3 * * *'),
          drill: z.string().default('0 4 * * 0'),
          /** Each task begins this much later at most, at random, so that many homes do not begin at once. */
          jitterSeconds: z.int().min(0).max(3600).default(30),
        })
        .prefault({}),
    })
    .prefault({}),
  telemetry: z
    .strictObject({
      /** An OTLP/HTTP endpoint; without one, spans and metrics go to rotated files in the home. */
      otlpEndpoint: z.url().refine(isHttpsOrLoopback, 'must be https outside one machine').optional(),
      /**
       * PEM file of the authority that signed the collector's certificate; the caller's own is shown to it then (mTLS).
       * Without it, the machine's own list is trusted.
       */
      otlpCa: z.string().optional(),
      logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('warn'),
    })
    .prefault({}),
});

export type Settings = Readonly<z.infer<typeof settingsSchema>>;

/**
 * Reads `wardline.yaml` (the home's, or `file`), fills in the defaults and freezes the result.
 * Throws CONFIGURATION_INVALID naming every key that is wrong. A home without the file has the defaults.
 */
export function loadSettings(home: Home | undefined, file?: string): Settings {
  const path = file ?? home?.paths.configuration;
  const text = path === undefined ? undefined : readIfPresent(path);
  if (file !== undefined && text === undefined) throw invalid(file, ['there is no such file']);
  const settings = settingsSchema.safeParse(text === undefined ? {} : (parseYaml(text, path ?? '') ?? {}));
  if (!settings.success) {
    throw invalid(
      path ?? 'wardline.yaml',
      settings.error.issues.map((issue) => `${issue.path.join('.') || '(top)'}: ${issue.message}`),
    );
  }
  if (path === undefined) return deepFreeze(settings.data);
  const { connection, telemetry } = settings.data;
  const { otlpCa } = telemetry;
  return deepFreeze({
    ...settings.data,
    ...(connection === undefined ? {} : { connection: withAbsolutePaths(connection, path) }),
    ...(otlpCa === undefined ? {} : { telemetry: { ...telemetry, otlpCa: resolve(dirname(path), otlpCa) } }),
  });
}

/**
 * How to reach the servers: the `connection:` block of wardline.yaml, else the one that the embedded stack wrote.
 * Throws NOT_RUNNING where there is neither.
 */
export function loadConnection(home: Home, settings: Settings): Connection {
  if (settings.connection !== undefined) return settings.connection;
  const path = home.paths.connection;
  const text = readIfPresent(path);
  if (text === undefined) {
    throw new WardlineError('NOT_RUNNING', `${home.path} has no connection to any servers yet`, {
      hint: `start them with: wardline up --home ${home.path}`,
    });
  }
  const block = z.strictObject({ connection: connectionSchema }).safeParse(parseYaml(text, path));
  if (!block.success)
    throw invalid(
      path,
      block.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    );
  return deepFreeze(withAbsolutePaths(block.data.connection, path));
}

function parseYaml(text: string, path: string): unknown {
  const document = parseDocument(text);
  if (document.errors.length > 0)
    throw invalid(
      path,
      document.errors.map((error) => error.message),
    );
  return document.toJS();
}

function invalid(path: string, problems: readonly string[]): WardlineError {
  return new WardlineError('CONFIGURATION_INVALID', `${path} is not a valid configuration: ${problems.join('; ')}`, {
    hint: 'wardline.example.yaml shows every setting with its default',
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
