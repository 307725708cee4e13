import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** What is read of a bill of materials, CycloneDX 1.5 and newer. */
interface Bill {
  readonly bomFormat: string;
  readonly components: readonly Component[];
}

interface Component {
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses?: readonly {
    readonly expression?: string;
    readonly license?: { readonly id?: string; readonly name?: string };
  }[];
}

/** Digests of the servers' jars as they are pinned, by `server/file`. */
const PINNED = new Map(
  readFileSync(join(import.meta.dirname, '../stack/jars.sha256'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/).toReversed() as [file: string, digest: string]),
);

function licencesOf({ licenses = [] }: Component): readonly string[] {
  return licenses.flatMap(({ license, expression }) => expression ?? license?.id ?? license?.name ?? []);
}

/** What is wrong with a bill: a licence that is not named, a jar that is not the pinned one, a pinned one that it lacks. */
function problemsOf(server: string, components: readonly Component[]): readonly string[] {
  const pinned = [...PINNED].filter(([file]) => file.startsWith(`${server}/`)).map(([, digest]) => digest);
  const digests = components.map(({ hashes = [] }) => hashes.find(({ alg }) => alg === 'SHA-256')?.content ?? '');
  const unknown = components.filter((component) => licencesOf(component).length === 0);
  return [
    ...unknown.map(({ name }) => `${name}: no licence is named`),
    ...(pinned.length === 0 ? [] : digests.filter((digest) => !pinned.includes(digest))).map(
      (digest) => `${server}: a jar with SHA-256 ${digest} is not in stack/jars.sha256`,
    ),
    ...pinned.filter((digest) => !digests.includes(digest)).map((digest) => `${server}: the jar ${digest} is missing`),
  ];
}

const problems: string[] = [];
for (const file of process.argv.slice(2)) {
  const { bomFormat, components } = JSON.parse(readFileSync(file, 'utf8')) as Bill;
  if (bomFormat !== 'CycloneDX') problems.push(`${file} is no bill of CycloneDX`);
  const what = basename(file, '.cdx.json');
  problems.push(...problemsOf(what, components));
  console.log(`${what}: ${components.length} components\n`);
  const named = components.map((each) => ({
    what: `${each.group === undefined ? '' : `${each.group}/`}${each.name} ${each.version}`,
    licence: licencesOf(each).join(', '),
  }));
  for (const [licence, of] of [...Map.groupBy(named, (each) => each.licence)].toSorted())
    console.log(`  ${licence}\n${of.map((each) => `    ${each.what}\n`).join('')}`);
}
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
}
