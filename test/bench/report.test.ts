import { expect, test } from 'vitest';
import { reportJson, reportText, type Report } from './report.ts';

const report: Report = {
  command: 'npm run bench -- worker spark',
  machine: { cpu: 'a processor', cores: 2, memoryGib: 24, system: 'Linux', node: 'v24.0.0', java: 'openjdk 17' },
  results: [
    {
      part: 'worker',
      result: {
        measured: true,
        how: 'in turn',
        figures: [
          { name: 'worker ÷ bare loop', value: 0.8512, unit: '×', target: { atLeast: 0.85 } },
          { name: 'memory', value: 351, unit: 'MB', target: { atMost: 350 } },
        ],
        absolutes: [{ name: 'worker', value: 21_234.5, unit: 'records/s' }],
      },
    },
    { part: 'spark', result: { measured: false, reason: `its peer is not installed\n${'detail '.repeat(50)}` } },
  ],
};

test('figures stand before absolute values, each with its target and whether it is met', () => {
  const lines = reportText(report).split('\n');
  const ratio = lines.findIndex((line) => line.includes('worker ÷ bare loop'));
  expect(lines[ratio]).toMatch(/0\.85 ×\s+≥ 0\.85\s+met$/);
  expect(lines.find((line) => line.includes('memory'))).toMatch(/351 MB\s+≤ 350\s+MISSED$/);
  expect(lines.findIndex((line) => line.includes('21,235 records/s'))).toBeGreaterThan(ratio);
});

test('what was not measured says so in one line, and is never met', () => {
  const line = reportText(report)
    .split('\n')
    .find((candidate) => candidate.startsWith('spark'));
  expect(line).toBe('spark   not measured: its peer is not installed');
});

test('machine and command stand at the end', () => {
  expect(reportText(report)).toMatch(
    /Machine: a processor, 2 cores, 24 GiB.*\nCommand: npm run bench -- worker spark$/,
  );
});

test('the JSON document holds unrounded values', () => {
  expect(reportJson(report)).toMatchObject({
    machine: { cores: 2 },
    parts: [
      {
        part: 'worker',
        measured: true,
        figures: [
          { value: 0.8512, met: true },
          { value: 351, met: false },
        ],
      },
      { part: 'spark', measured: false },
    ],
  });
});
