import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { codeOf } from '../test/support/failure.ts';
import { temporaryHome, type TemporaryHome } from '../test/support/temporary-home.ts';
import { loadConnection, loadSettings, settingsSchema } from './configuration.ts';

const EXAMPLE = readFileSync(join(import.meta.dirname, '../wardline.example.yaml'), 'utf8');

/** Takes one mark away from every setting: prose has one space and then text behind its mark, a setting no space or two. */
const uncommented = (text: string): string => text.replaceAll(/^#(?=[^ \n]| {2,}[a-zA-Z0-9]+:)/gm, '');

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

/** Every setting of the schema, as a path; an array or a map of unknown names counts as one setting. */
function settingPaths(schema: JsonSchema, path = ''): string[] {
  const properties = Object.entries(schema.properties ?? {});
  if (properties.length === 0) return [path];
  return properties.flatMap(([name, member]) => settingPaths(member, path === '' ? name : `${path}.${name}`));
}

function valueAt(document: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], document);
}

let temporary: TemporaryHome;
beforeEach(() => {
  temporary = temporaryHome();
});
afterEach(() => temporary.remove());

function withFile(text: string): () => ReturnType<typeof loadSettings> {
  writeFileSync(temporary.home.paths.configuration, text);
  return () => loadSettings(temporary.home);
}

describe('wardline.example.yaml', () => {
  it('changes nothing as it stands', () => {
    expect(parse(EXAMPLE)).toBeNull();
    expect(withFile(EXAMPLE)()).toEqual(loadSettings(undefined));
  });

  it('shows each default as it is', () => {
    const shown: unknown = parse(uncommented(EXAMPLE));
    expect(shown).toEqual(settingsWithDefaults());
  });

  it('shows every setting, and no other', () => {
    const all: unknown = parse(uncommented(uncommented(EXAMPLE)));
    expect(settingsSchema.safeParse(all).success).toBe(true);
    const missing = settingPaths(z.toJSONSchema(settingsSchema, { io: 'input' }) as JsonSchema).filter(
      (path) => valueAt(all, path) === undefined,
    );
    expect(missing).toEqual([]);
  });
});

/** The defaults, without the parts that consist of settings without a default only. */
function settingsWithDefaults(): unknown {
  return Object.fromEntries(
    Object.entries(loadSettings(undefined)).filter(([, part]) => part !== undefined && Object.keys(part).length > 0),
  );
}

describe('settings', () => {
  it('are the defaults in a home without a file, and cannot be changed', () => {
    const settings = loadSettings(temporary.home);
    expect(settings.worker.windowRecords).toBe(10_000);
    expect(() => Object.assign(settings.worker, { windowRecords: 1 })).toThrow(TypeError);
  });

  it('keep the defaults beside what a file sets', () => {
    const settings = withFile('topics:\n  partitions: 12\n')();
    expect(settings.topics).toEqual({ partitions: 12, replicationFactor: 1 });
    expect(settings.source.sealThreads).toBe(2);
  });

  it.each([
    ['an unknown key', 'worker:\n  widnowRecords: 5\n', 'widnowRecords'],
    ['a value below its limit', 'servers:\n  cassandraHeapMegabytes: 64\n', 'servers.cassandraHeapMegabytes'],
    ['a value of another type', 'source:\n  batchRecords: many\n', 'source.batchRecords'],
    ['a store that is no URL', 'backup:\n  s3:\n    endpoint: s3.example.com\n', 'backup.s3.endpoint'],
    ['a store elsewhere in clear', 'backup:\n  s3:\n    endpoint: http://s3.example.com\n', 'backup.s3.endpoint'],
    ['an endpoint in clear elsewhere', 'telemetry:\n  otlpEndpoint: http://collector:4318\n', 'telemetry.otlpEndpoint'],
    ['an endpoint that is no URL', 'telemetry:\n  otlpEndpoint: collector\n', 'telemetry.otlpEndpoint'],
  ])('refuse %s and name it', (_what, text, named) => {
    expect(withFile(text)).toThrow(expect.objectContaining({ code: 'CONFIGURATION_INVALID' }));
    expect(withFile(text)).toThrow(named);
  });

  it('name every key that is wrong, not only the first', () => {
    const load = withFile('topics:\n  partitions: 0\nworker:\n  rowsPerBatch: 0\n');
    expect(load).toThrow('topics.partitions');
    expect(load).toThrow('worker.rowsPerBatch');
  });

  it('refuse what is no YAML, and a named file that is not there', () => {
    expect(codeOf(withFile('topics: [1,\n'))).toBe('CONFIGURATION_INVALID');
    expect(codeOf(() => loadSettings(temporary.home, join(temporary.home.path, 'other.yaml')))).toBe(
      'CONFIGURATION_INVALID',
    );
  });
});

describe('the connection', () => {
  const block = parse(uncommented(uncommented(EXAMPLE))) as { connection: object };

  it('of an external block has paths from the folder of its file', () => {
    const settings = withFile(JSON.stringify(block))();
    const connection = loadConnection(temporary.home, settings);
    expect(connection.mode).toBe('external');
    expect(connection.kafka.ca).toBe(join(temporary.home.path, 'tls/ca.crt'));
    expect(connection.principals['source']?.passwordFile).toBe(join(temporary.home.path, 'principals/source/password'));
    expect(connection.principals['source']?.username).toBe('source');
  });

  it('is the one that the embedded stack wrote where no block is set', () => {
    const embedded = { ...block.connection, mode: 'embedded' };
    writeFileSync(temporary.home.paths.connection, JSON.stringify({ connection: embedded }));
    expect(loadConnection(temporary.home, loadSettings(temporary.home)).mode).toBe('embedded');
  });

  it('is refused where the block is not complete', () => {
    writeFileSync(temporary.home.paths.connection, JSON.stringify({ connection: { mode: 'embedded' } }));
    expect(codeOf(() => loadConnection(temporary.home, loadSettings(temporary.home)))).toBe('CONFIGURATION_INVALID');
  });

  it('is missing in a home that was never up', () => {
    expect(codeOf(() => loadConnection(temporary.home, loadSettings(temporary.home)))).toBe('NOT_RUNNING');
  });
});
