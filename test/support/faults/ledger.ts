import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';

/** A contract made so that a lost, repeated or mixed write shows in the rows themselves. */
export interface Ledger {
  readonly contract: string;
  readonly id: string;
  readonly topic: string;
  readonly table: string;
}

export interface LedgerFile {
  readonly path: string;
  readonly records: number;
  readonly accounts: readonly string[];
  /** The amount that each key ends with, by `account/number`. */
  readonly last: ReadonlyMap<string, number>;
}

const KEYSPACE = 'fault_data';
const STEP = 1000;

/** Writes a contract of this id into `folder`: account and number are the key, `hidden` is sealed, `twice` is derived by the worker. */
export function ledgerContract(folder: string, id: string): Ledger {
  const name = id.replaceAll('-', '_');
  const contract = join(folder, `${id}.odcs.yaml`);
  const whole = { logicalType: 'integer', physicalType: 'bigint', required: true };
  const document = {
    apiVersion: 'v3.1.0',
    kind: 'DataContract',
    id,
    version: '1.0.0',
    status: 'active',
    servers: [{ server: 'cassandra', type: 'custom', schema: KEYSPACE }],
    schema: [
      {
        name: 'entries',
        physicalName: name,
        properties: [
          {
            name: 'account',
            logicalType: 'string',
            required: true,
            partitioned: true,
            partitionKeyPosition: 1,
            customProperties: [{ property: 'dataSubject', value: true }],
          },
          { name: 'number', ...whole, primaryKey: true, primaryKeyPosition: 1 },
          { name: 'amount', ...whole },
          { name: 'hidden', ...whole, classification: 'personal' },
          { name: 'twice', logicalType: 'integer', physicalType: 'bigint', transformLogic: 'amount * 2' },
        ],
      },
    ],
    slaProperties: [{ property: 'retention', value: 30, unit: 'd' }],
    roles: [
      { role: 'source', access: 'write' },
      { role: 'worker', access: 'write' },
      {
        role: 'reader',
        access: 'read',
        customProperties: [
          { property: 'opens', value: ['personal'] },
          { property: 'purposes', value: ['check'] },
        ],
      },
    ],
  };
  writeFileSync(contract, stringify(document));
  return { contract, id, topic: name, table: `${KEYSPACE}.${name}` };
}

/**
 * Writes a CSV of `keys` keys, spread over `accounts`; each key comes `writes` times, with another amount each time, and
 * its last write comes after all keys had the one before.
 */
export function ledgerFile(folder: string, name: string, keys: number, accounts = 16, writes = 2): LedgerFile {
  const lines = ['account,number,amount,hidden'];
  const last = new Map<string, number>();
  for (let write = 1; write <= writes; write += 1) {
    for (let number = 0; number < keys; number += 1) {
      const account = `a-${String(number % accounts).padStart(2, '0')}`;
      const amount = number * STEP + write;
      lines.push(`${account},${number},${amount},${hiddenOf(amount)}`);
      last.set(`${account}/${number}`, amount);
    }
  }
  const path = join(folder, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return { path, records: keys * writes, accounts: [...new Set([...last.keys()].map(accountOf))], last };
}

/** What is sealed beside an amount. */
export function hiddenOf(amount: number): number {
  return amount * 7 + 1;
}

function accountOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}
