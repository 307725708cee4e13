import type { Scope, SqlType } from '../../../governance/expression/index.ts';

/** One column of the rows that the vectors are evaluated on: its types here and in Spark, and its value in each row as text. */
export interface VectorColumn {
  readonly name: string;
  readonly type: SqlType;
  readonly spark: string;
  readonly values: readonly (string | null)[];
}

/** Three rows: one of everyday values, one of nulls, one of extremes. */
export const VECTOR_COLUMNS: readonly VectorColumn[] = [
  { name: 'i', type: 'int', spark: 'INT', values: ['7', null, '-2147483648'] },
  { name: 'b', type: 'bigint', spark: 'BIGINT', values: ['-3', null, '9223372036854775807'] },
  { name: 'd', type: 'double', spark: 'DOUBLE', values: ['2.5', null, '-1234567.891'] },
  {
    name: 'm',
    type: 'decimal',
    spark: 'DECIMAL(38,18)',
    values: ['1.25', null, '-99999999999999999999.999999999999999999'],
  },
  { name: 's', type: 'text', spark: 'STRING', values: ['abc', null, 'Straße 😀'] },
  { name: 'n', type: 'text', spark: 'STRING', values: ['12', null, ' -4 '] },
  {
    name: 't',
    type: 'timestamp',
    spark: 'TIMESTAMP',
    values: ['2016-01-01 05:04:03.25', null, '1969-12-31 23:59:59.5'],
  },
  { name: 'e', type: 'date', spark: 'DATE', values: ['2016-02-29', null, '1900-03-01'] },
  { name: 'p', type: 'boolean', spark: 'BOOLEAN', values: ['true', null, 'false'] },
];

export const vectorScope: Scope = {
  names: VECTOR_COLUMNS.map((column) => column.name),
  resolve(name) {
    const index = VECTOR_COLUMNS.findIndex((column) => column.name === name);
    const column = VECTOR_COLUMNS[index];
    return column === undefined ? undefined : { index, type: column.type };
  },
};
