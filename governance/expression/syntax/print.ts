import { dateText, timestampText } from '../types/calendar.ts';
import { decimalText } from '../types/decimal.ts';
import { typeName, type Decimal } from '../types/type.ts';
import type { Literal, Tree } from './tree.ts';

/** How names and texts are quoted. */
export interface Dialect {
  name(name: string, quoted: boolean): string;
  text(value: string): string;
}

/** The language that `parse` reads. */
export const STANDARD: Dialect = {
  name: (name, quoted) => (quoted ? `"${name.replaceAll('"', '""')}"` : name),
  text: (value) => `'${value.replaceAll("'", "''")}'`,
};

/** Spark SQL 3: names in backquotes; in texts a backslash escapes, and '' would join two texts rather than mean a quote. */
export const SPARK: Dialect = {
  name: (name) => `\`${name.replaceAll('`', '``')}\``,
  text: (value) => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`,
};

/** Prints a tree in normal form: key words in capitals, brackets round every operand that is itself an operation. */
export function print(tree: Tree, dialect: Dialect): string {
  const inner = (child: Tree): string => print(child, dialect);
  const operand = (child: Tree): string => (standsAlone(child) ? inner(child) : `(${inner(child)})`);
  const not = (negated: boolean): string => (negated ? 'NOT ' : '');
  switch (tree.kind) {
    case 'literal':
      return printLiteral(tree, dialect);
    case 'column':
      return dialect.name(tree.name, tree.quoted);
    case 'unary':
      if (tree.operator === 'NOT') return `NOT ${operand(tree.operand)}`;
      // A sign right before a number would become the number's own.
      return `${tree.operator}${tree.operand.kind === 'literal' ? `(${inner(tree.operand)})` : operand(tree.operand)}`;
    case 'binary':
      return `${operand(tree.left)} ${tree.operator} ${operand(tree.right)}`;
    case 'isNull':
      return `${operand(tree.operand)} IS ${not(tree.negated)}NULL`;
    case 'in':
      return `${operand(tree.operand)} ${not(tree.negated)}IN (${tree.list.map(inner).join(', ')})`;
    case 'between':
      return `${operand(tree.operand)} ${not(tree.negated)}BETWEEN ${operand(tree.low)} AND ${operand(tree.high)}`;
    case 'like':
      return `${operand(tree.operand)} ${not(tree.negated)}LIKE ${operand(tree.pattern)}`;
    case 'case': {
      const branches = tree.branches.map(({ when, then }) => ` WHEN ${inner(when)} THEN ${inner(then)}`);
      const subject = tree.operand === undefined ? '' : ` ${operand(tree.operand)}`;
      return `CASE${subject}${branches.join('')}${tree.otherwise === undefined ? '' : ` ELSE ${inner(tree.otherwise)}`} END`;
    }
    case 'cast':
      return `CAST(${inner(tree.operand)} AS ${typeName(tree.type)})`;
    case 'extract':
      return `EXTRACT(${tree.field} FROM ${inner(tree.operand)})`;
    case 'trim':
      return `TRIM(${tree.side} ${tree.characters === undefined ? '' : `${inner(tree.characters)} `}FROM ${inner(tree.operand)})`;
    case 'call':
      return `${tree.name}(${tree.arguments.map(inner).join(', ')})`;
  }
}

function standsAlone(tree: Tree): boolean {
  if (tree.kind === 'literal') return !printLiteral(tree, STANDARD).startsWith('-');
  return ['column', 'case', 'cast', 'extract', 'trim', 'call'].includes(tree.kind);
}

function printLiteral({ type, value }: Literal, dialect: Dialect): string {
  switch (type.name) {
    case 'text':
      return dialect.text(value as string);
    case 'decimal': {
      // Without a point it would be read as an integer.
      const digits = decimalText(value as Decimal);
      return digits.includes('.') ? digits : `${digits}.`;
    }
    case 'double': {
      const digits = doubleDigits(value as number)
        .replace('e+', 'E')
        .replace('e', 'E');
      const signed = Object.is(value, -0) ? '-0' : digits;
      return signed.includes('E') ? signed : `${signed}E0`;
    }
    case 'date':
      return `DATE '${dateText(value as number)}'`;
    case 'timestamp':
      return `TIMESTAMP '${timestampText(value as number)}Z'`;
    default:
      return plainText(value as number | bigint | boolean | null).toUpperCase();
  }
}

function doubleDigits(value: number): string {
  return `${value}`;
}

function plainText(value: number | bigint | boolean | null): string {
  return String(value);
}
