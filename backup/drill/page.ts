import type { DrillReport } from './report.ts';

const STYLE = [
  'body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}',
  'table{border-collapse:collapse;margin:.5rem 0 1.5rem}td,th{text-align:left;padding:.25rem 1rem .25rem 0;border-bottom:1px solid #d0d7de;vertical-align:top}',
  'code{font-size:.85em;overflow-wrap:anywhere}.figure{font-size:1.75rem;font-weight:600}.bad{color:#b42318;font-weight:600}.good{color:#116329;font-weight:600}',
].join('');

/** The report as a page that needs nothing else: no script, no style sheet, no network. */
export function drillPage(report: DrillReport): string {
  const { id, backup, snapshotAt, startedAt, endedAt, passed, install } = report;
  const verdict = passed ? 'passed' : 'failed';
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'">',
    '<meta name="viewport" content="width=device-width">',
    `<title>Recovery drill ${escaped(id)}: ${verdict}</title><style>${STYLE}</style></head><body>`,
    `<h1>Recovery drill: <span class="${passed ? 'good' : 'bad'}">${verdict}</span></h1>`,
    `<p>Backup <code>${escaped(backup)}</code> of ${escaped(snapshotAt)}, installation <code>${escaped(install)}</code>,`,
    `restored into new, empty servers from ${escaped(startedAt)} to ${escaped(endedAt)}.</p>`,
    table(['Recovery point (RPO)', 'Recovery time (RTO)'], [[figure(report.rpoSeconds), figure(report.rtoSeconds)]]),
    '<h2>Checks</h2>',
    table(
      ['Check', '', 'Found'],
      report.checks.map((check) => [
        escaped(check.name),
        `<span class="${check.passed ? 'good' : 'bad'}">${check.passed ? 'passed' : 'failed'}</span>`,
        escaped(check.found),
      ]),
    ),
    ...tables(report),
    `<p>The figures are signed in <code>${escaped(id)}.jws</code>, beside this page: a JWS by the archiver's Ed25519 key.</p>`,
    '</body></html>',
    '',
  ].join('\n');
}

function tables({ tables: restored, topics, keys, audit }: DrillReport): readonly string[] {
  return [
    '<h2>Tables</h2>',
    table(
      ['Table', 'Rows in the backup', 'Replayed', 'Rows in the end', 'Digest of all rows'],
      restored.map(({ name, backedUp, replayed, restored: end }) => [
        `<code>${escaped(name)}</code>`,
        ...[backedUp.rows, replayed, end.rows].map(String),
        `<code>${escaped(end.digest)}</code>`,
      ]),
    ),
    '<h2>Topics</h2>',
    table(
      ['Topic', 'Messages'],
      topics.map(({ name, messages }) => [`<code>${escaped(name)}</code>`, String(messages)]),
    ),
    ...(keys === null
      ? []
      : [
          `<p>Data keys out of the escrow: ${keys.restored}; subjects that stay erased: ${keys.erased}; unreadable: ${keys.unreadable}.</p>`,
        ]),
    ...(audit === null
      ? []
      : [
          `<p>Audit log: ${audit.events} events verified, ${audit.findings} findings, ${audit.declaredLosses} declared losses.</p>`,
        ]),
  ];
}

function figure(seconds: number | null): string {
  return `<span class="figure">${seconds === null ? 'not measured' : `${seconds} s`}</span>`;
}

/** Cells are HTML already. */
function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[], tag: 'td' | 'th'): string =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  return `<table>${row(heading, 'th')}${rows.map((cells) => row(cells, 'td')).join('')}</table>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
