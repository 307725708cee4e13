import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { PRINCIPAL_NAMES } from '../../security/principals/names.ts';
import { contractVariant, CLINIC_CSV } from '../support/inputs/contract-variant.ts';
import { scratch } from '../support/scratch.ts';
import { withStack } from '../support/stack.ts';
import { wardline, wardlineOn } from '../support/wardline.ts';

const { home, connection } = withStack();
const files = scratch();

describe('help', () => {
  it('needs no home', async () => {
    const { code, stdout } = await wardline(['backup', '--help']);
    expect([code, stdout]).toEqual([0, expect.stringContaining('create')]);
  });
});

describe('a command that fails', () => {
  const empty = join(files.folder, 'nothing here');
  const other = join(files.folder, 'other format');
  mkdirSync(empty);
  mkdirSync(other);

  it('without a home says how to make one: 2', async () => {
    const { code, stdout, error } = await wardline(['status', '--json'], { cwd: empty });
    expect([code, stdout, error?.code]).toEqual([2, '', 'HOME_NOT_FOUND']);
    expect(error?.hint).toContain('wardline up --home');
  });

  it.each([
    [0, 'no longer read'],
    [99, 'newer wardline'],
  ])('refuses a home of format %i: 2', async (format, hint) => {
    writeFileSync(join(other, 'home.json'), JSON.stringify({ format, install: 'x' }));
    for (const command of ['status', 'up']) {
      const { error } = await wardlineOn(other, [command], 2);
      expect(error).toMatchObject({ code: 'HOME_FORMAT', hint: expect.stringContaining(hint) as string });
    }
  });

  it('for want of an argument shows its usage: 2', async () => {
    const { code, stdout, stderr } = await wardline(['run', '--home', home.path]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/--contract/);
    const { error } = await wardlineOn(home.path, ['run'], 2);
    expect(error?.code).toBe('USAGE');
  });

  it('at its work says so in words on standard error: 1', async () => {
    const path = join(empty, 'missing.csv');
    const { code, stdout, stderr } = await wardline([
      ...[
        'run',
        '--contract',
        'smart-home',
        '--source',
        'csv',
        '--path',
        path,
        '--set',
        'home_id=h',
        '--home',
        home.path,
      ],
    ]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^wardline: .*missing\.csv.* \(SOURCE_UNREADABLE\)$/m);
    expect(stderr).toMatch(/^ {2}→ /m);
  });

  it('because policy refuses: 3', async () => {
    const contract = contractVariant('clinic', files.folder, 'command-draft', (document) => {
      Object.assign(document, { status: 'draft' });
    });
    const run = ['run', '--contract', contract.path, '--source', 'csv', '--path', CLINIC_CSV];
    expect((await wardlineOn(home.path, run, 3)).error?.code).toBe('CONTRACT_INACTIVE');
  });

  it('because nobody answers: 5, within seconds', async () => {
    const port = await freePort();
    const gone = join(files.folder, 'gone');
    mkdirSync(gone);
    writeFileSync(join(gone, 'home.json'), JSON.stringify({ format: 1, install: 'gone' }));
    expect((await wardlineOn(gone, ['topics'], 5)).error?.code).toBe('NOT_RUNNING');
    const kafka = { ...connection.kafka, brokers: [`127.0.0.1:${port}`] };
    writeFileSync(join(gone, 'wardline.yaml'), stringify({ connection: { ...connection, mode: 'external', kafka } }));
    expect((await wardlineOn(gone, ['topics'], 5)).error?.code).toBe('KAFKA_UNREACHABLE');
  });
});

describe('a contract', () => {
  it('is proposed for a file with everything personal, and is valid as it is', async () => {
    const out = join(files.folder, 'proposed.odcs.yaml');
    const { code } = await wardline(['contract', 'init', '--path', CLINIC_CSV, '--out', out, '--json']);
    expect(code).toBe(0);
    const validated = await wardline(['contract', 'validate', out, '--json']);
    expect([validated.code, validated.json['valid'], validated.json['problems']]).toEqual([0, true, []]);
    const { json } = await wardline(['contract', 'show', out, '--json']);
    const properties = json['properties'] as { key?: string; classification: string }[];
    const others = properties.filter(({ key }) => key === undefined);
    expect(others.length).toBeGreaterThan(5);
    expect(new Set(others.map(({ classification }) => classification))).toEqual(new Set(['personal']));
  });

  it('that is wrong is refused with file, line and key: 2', async () => {
    const path = files.file('wrong.odcs.yaml', 'apiVersion: v3.1.0\nkind: DataContract\nid: wrong\nstatus: active\n');
    const { code, json } = await wardline(['contract', 'validate', path, '--json']);
    const [problem] = json['problems'] as { file: string; line: number; path: string }[];
    expect([code, json['valid'], problem?.file]).toEqual([2, false, path]);
    expect(problem?.line).toBeGreaterThan(0);
  });
});

describe('credentials', () => {
  it('name files for every principal, and hold no secret', async () => {
    for (const principal of PRINCIPAL_NAMES.slice(-2)) {
      const { json, stdout } = await wardlineOn(home.path, ['credentials', principal]);
      expect(json).toMatchObject({
        principal,
        kafka: { sasl: { mechanism: 'SCRAM-SHA-512', username: principal } },
        cassandra: { localDataCenter: connection.cassandra.localDataCenter },
      });
      expect(stdout).not.toMatch(/PRIVATE KEY|"password"/);
    }
  });

  it('are there for no one else: 2', async () => {
    expect((await wardlineOn(home.path, ['credentials', 'somebody'], 2)).error?.code).toBe('USAGE');
  });
});

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
