import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { CompiledContract } from './compiled.ts';
import { inspectText, parseContract } from './load.ts';
import { proposeContract } from './propose.ts';
import type { SampleFormat } from './propose/sample.ts';

const folder = mkdtempSync(join(tmpdir(), 'wardline-propose-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function textFor(file: string, content: string | Buffer, format: SampleFormat = 'csv'): Promise<string> {
  const path = join(folder, file);
  writeFileSync(path, content);
  return proposeContract({ path, format });
}

async function contractFor(file: string, content: string, format: SampleFormat = 'csv'): Promise<CompiledContract> {
  return parseContract(await textFor(file, content, format), 'proposed.yaml');
}

const typesOf = (contract: CompiledContract) =>
  Object.fromEntries(contract.properties.map(({ name, type }) => [name, type]));

describe('a proposal for a CSV file', () => {
  const content = [
    '\ufefftime,home id,use [kW],cloudCover,Summary,ok,zip,order,count,seen',
    '1451624400,h1,0.93,cloudCover,"Clear, cold",true,01234,7,1,2016-01-01',
    '1451624401,h1,3.33E-05,0.1,,false,01234,7,9007199254740993,2016-01-02',
  ].join('\r\n');

  it('has names, types and nulls as the rows show them', async () => {
    const contract = await contractFor('home-c.csv', content);
    expect(typesOf(contract)).toEqual({
      day: 'date',
      time: 'timestamp',
      home_id: 'text',
      use_kw: 'double',
      cloud_cover: 'double',
      summary: 'text',
      ok: 'boolean',
      zip: 'text',
      order_value: 'bigint',
      count: 'bigint',
      seen: 'date',
    });
    expect(contract).toMatchObject({ id: 'home-c', status: 'draft', dataSubject: 'home_id' });
    expect(contract.table).toMatchObject({ partitionKey: ['home_id', 'day'], clusteringKey: ['time'] });
  });

  it('holds what it does not know to be personal, and takes every row that it was made from', async () => {
    const contract = await contractFor('home-c.csv', content);
    const clear = contract.properties.filter((property) => property.sealedAs === undefined).map(({ name }) => name);
    expect(clear).toEqual(['day', 'time', 'home_id']);
    const row = ['1451624400', 'h1', '0.93', 'cloudCover', '', 'true', '01234', '7', '1', '2016-01-01'];
    expect(contract.sourceFields).toEqual(content.slice(1, content.indexOf('\r')).split(','));
    expect(contract.check({ values: row, position: 1 })).toMatchObject({
      ok: true,
      key: ['h1', '2016-01-01', '2016-01-01T05:00:00.000Z'],
    });
  });

  it.each([
    ['1451624400000', 'ms'],
    ['1451624400000000', 'us'],
    ['1451624400.25', 's'],
  ])('sees the unit of %s', async (value, unit) => {
    expect(await textFor('e.csv', `event_time,v\n${value},1\n`)).toContain(`{ property: epochUnit, value: ${unit} }`);
  });

  it('orders by time alone where nothing says what a row is about, and says so', async () => {
    const text = await textFor('t.csv', 'taken at,v\n2016-01-01T00:00:00Z,1\n2016-01-01T00:01:00Z,2\n');
    expect(text).toContain('# DECIDE: the key is the time alone');
    expect(parseContract(text, 'p').table).toMatchObject({ partitionKey: ['day'], clusteringKey: ['taken_at'] });
  });

  it('takes a column without repeats where there is no time', async () => {
    const contract = await contractFor('n.csv', 'group,code\na,x1\na,x2\n');
    expect(contract.table.partitionKey).toEqual(['code']);
  });

  it('says what is missing where no column can be the key', async () => {
    const text = await textFor('k.csv', 'a,b\n1,\n1,2\n');
    expect(text).toContain('# NOT COMPLETE');
    expect(inspectText(text, 'p').problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('no partition key') as string,
    ]);
  });

  it('gives two columns of one name different ones, and keeps odd names exact', async () => {
    const contract = await contractFor(
      'o.csv',
      'id,A b,a_b,"q""\n: #","Größe [m²]",day,at\n1,1,1,1,1,1,2016-01-01 00:00\n1,1,1,1,1,1,2016-01-01 00:01\n',
    );
    expect(contract.properties.map(({ name }) => name)).toEqual([
      ...['event_day', 'id', 'a_b', 'a_b_2', 'q', 'gro_e_m2', 'day', 'at'],
    ]);
    expect(contract.sourceFields).toContain('q"\n: #');
  });

  it('holds for a header without rows', async () => {
    expect(await textFor('h.csv', 'a,b\n')).toContain('# NOT COMPLETE');
  });
});

describe('a proposal for JSON lines', () => {
  it('has every field of any row, and leaves out what is nested', async () => {
    const lines = [
      '{"ts":"2016-01-01T00:00:00Z","id":1,"v":1.5}',
      '{"ts":"2016-01-01T00:01:00Z","id":1,"w":true,"n":{"x":1}}',
    ];
    const text = await textFor('r.jsonl', lines.join('\n'), 'jsonl');
    expect(text).toContain('"n" holds nested JSON');
    expect(typesOf(parseContract(text, 'p'))).toEqual({
      ...{ day: 'date', ts: 'timestamp', id: 'bigint', v: 'double', w: 'boolean' },
    });
  });
});

describe('a file that no contract can be proposed for', () => {
  it.each([
    ['an empty file', '', 'csv', 'SOURCE_EMPTY'],
    ['no JSON', 'a,b\n', 'jsonl', 'SOURCE_UNREADABLE'],
    ['a quote that does not end', 'a,b\n"1,2\n', 'csv', 'SOURCE_UNREADABLE'],
  ] as const)('%s', async (_name, content, format, code) => {
    await expect(textFor('x', content, format)).rejects.toMatchObject({ code });
  });

  it('another format', async () => {
    await expect(proposeContract({ path: 'x.parquet', format: 'parquet' })).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('no file', async () => {
    await expect(proposeContract({ path: join(folder, 'absent'), format: 'csv' })).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
    });
    await expect(proposeContract({ path: join(folder, 'absent'), format: 'jsonl' })).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
    });
  });
});
