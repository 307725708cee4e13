import { createPublicKey } from 'node:crypto';
import { compactVerify, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { testSigner } from '../../test/support/backup/archive-writer.ts';
import { drillPage } from './page.ts';
import { drillReport, openReport, signReport, type DrillFindings } from './report.ts';

const FINDINGS: DrillFindings = {
  ...{ id: '20261128T040000Z-0a1b2c', install: 'install', backup: '20261128T030000Z-0a1b2c' },
  ...{ snapshotAt: '2026-11-28T03:00:05.000Z', startedAt: '2026-11-28T04:00:00.000Z' },
  ...{ endedAt: '2026-11-28T04:00:41.000Z', rpoSeconds: 1.5, rtoSeconds: 38.2 },
  checks: [{ name: 'every file is what was stored', passed: true, found: '42 files' }],
  tables: [
    {
      ...{ name: 'iot_data.readings', replayed: 3 },
      ...{ backedUp: { rows: 7 }, restored: { rows: 10, digest: 'def' } },
    },
  ],
  topics: [{ name: 'readings', messages: 10 }],
  keys: { restored: 4, erased: 1, unreadable: 0 },
  audit: { events: 99, findings: 0, declaredLosses: 1 },
};

describe('a report of a drill', () => {
  it('has passed where every check did', () => {
    expect(drillReport(FINDINGS).passed).toBe(true);
    const failed = { name: 'the audit log is whole', passed: false, found: '2 findings' };
    expect(drillReport({ ...FINDINGS, checks: [...FINDINGS.checks, failed] }).passed).toBe(false);
    expect(drillReport({ ...FINDINGS, checks: [] }).passed).toBe(false);
  });

  it('is read as it was signed', () => {
    const { key, trusted } = testSigner();
    const report = drillReport(FINDINGS);
    expect(openReport(signReport(report, key), trusted)).toEqual(report);
  });

  it('verifies with another library', async () => {
    const { key } = testSigner();
    const text = signReport(drillReport(FINDINGS), key);
    const publicKey = await importJWK(createPublicKey(key.privateKey).export({ format: 'jwk' }), 'EdDSA');
    const { payload } = await compactVerify(text, publicKey);
    expect(JSON.parse(Buffer.from(payload).toString())).toEqual(drillReport(FINDINGS));
  });

  it('is refused where anything of it was changed, or somebody else signed it', () => {
    const { key, trusted } = testSigner();
    const [header = '', payload = '', signature = ''] = signReport(drillReport(FINDINGS), key).split('.');
    const other = Buffer.from(payload, 'base64url').toString().replace('"rtoSeconds":38.2', '"rtoSeconds":8.2');
    const changed = [header, Buffer.from(other).toString('base64url'), signature].join('.');
    expect(() => openReport(changed, trusted)).toThrow('no report');
    const operator = testSigner('operator');
    expect(() => openReport(signReport(drillReport(FINDINGS), operator.key), operator.trusted)).toThrow('no report');
    expect(() => openReport('nothing', trusted)).toThrow('no report');
  });
});

describe('the page of a drill', () => {
  it('shows its verdict and its figures', () => {
    const page = drillPage(drillReport(FINDINGS));
    for (const text of ['passed', '1.5 s', '38.2 s', 'iot_data.readings', '99 events', '42 files'])
      expect(page).toContain(text);
    expect(drillPage(drillReport({ ...FINDINGS, checks: [], rtoSeconds: null }))).toContain('not measured');
  });

  it('holds no markup that a name or a message brought along, and loads nothing', () => {
    const hostile = `<script>alert("x")</script>'&`;
    const checks = [{ name: hostile, passed: false, found: hostile }];
    const page = drillPage(drillReport({ ...FINDINGS, checks, topics: [{ name: hostile, messages: 1 }] }));
    expect(page).not.toContain('<script');
    expect(page).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&#39;&amp;');
    expect(page).not.toMatch(/(?:src|href)=/);
  });
});
