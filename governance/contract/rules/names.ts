/** Prefix of the columns, tables and keyspaces that Wardline adds for itself. */
const RESERVED_PREFIX = 'wardline_';

/** Cassandra's own limits: 48 for a keyspace; a table's name becomes a folder with its id behind it, which leaves 222. Columns: ours. */
const KEYSPACE_LENGTH_LIMIT = 48;
const TABLE_LENGTH_LIMIT = 222;
const COLUMN_LENGTH_LIMIT = 200;

const IDENTIFIER = /^[a-z][a-z0-9_]*$/;

/** Contract ids stand in topic groups, key tables and file names. */
const CONTRACT_ID = /^[a-z0-9][a-z0-9._-]{0,99}$/;

/** Keyspaces that are the server's or Wardline's own. */
const RESERVED_KEYSPACES = /^(system($|_)|audit$)/;

/** Words that CQL does not take as names without quotes (Apache Cassandra 5.0, appendix A, and the server's reserved list). */
const RESERVED_WORDS: ReadonlySet<string> = new Set(
  (
    'add allow alter and apply asc authorize batch begin by columnfamily create default delete desc describe drop ' +
    'entries execute from full grant if in index infinity insert into is keyspace limit materialized mbean mbeans ' +
    'modify nan norecursive not null of on or order primary rename replace revoke schema select set table to token ' +
    'truncate unlogged unset update use using view where with'
  ).split(' '),
);

type Kind = 'keyspace' | 'table' | 'column';
const LENGTH_LIMITS: Readonly<Record<Kind, number>> = {
  keyspace: KEYSPACE_LENGTH_LIMIT,
  table: TABLE_LENGTH_LIMIT,
  column: COLUMN_LENGTH_LIMIT,
};

/** What is wrong with a name, or undefined. */
export function nameFault(kind: Kind, name: string): string | undefined {
  if (!IDENTIFIER.test(name)) {
    return `"${name}" is no ${kind} name: lower-case letters, digits and underscores, a letter first (such as ${snakeCase(name)})`;
  }
  if (name.length > LENGTH_LIMITS[kind]) return `"${name}" is longer than ${LENGTH_LIMITS[kind]} characters`;
  if (RESERVED_WORDS.has(name)) return `"${name}" is a reserved word of CQL; choose another, such as ${name}_value`;
  if (name.startsWith(RESERVED_PREFIX))
    return `the prefix ${RESERVED_PREFIX} is reserved for what Wardline adds itself`;
  if (kind === 'keyspace' && RESERVED_KEYSPACES.test(name)) return `the keyspace "${name}" is not for data`;
  return undefined;
}

export function contractIdFault(id: string): string | undefined {
  if (CONTRACT_ID.test(id)) return undefined;
  return `"${id}" is no contract id: lower-case letters, digits, ".", "_" and "-", at most 100`;
}

/** A column name made of any text: `use [kW]` gives use_kw, `apparentTemperature` gives apparent_temperature. */
export function snakeCase(text: string): string {
  const words = text
    .normalize('NFKD')
    .replace(/([a-z0-9])([A-Z])(?=[a-z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
  const named = /^[a-z]/.test(words) ? words : `column_${words}`.replace(/_+$/, '');
  return RESERVED_WORDS.has(named) || named.startsWith(RESERVED_PREFIX) ? `${named}_value` : named;
}
