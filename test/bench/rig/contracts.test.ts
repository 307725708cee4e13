import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadContract } from '../../../governance/contract/index.ts';
import { CLEAR, SIX_SEALED, SMART_HOME, UNDELAYED, variantOf } from './contracts.ts';

const folder = mkdtempSync(join(tmpdir(), 'wardline-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const original = loadContract(SMART_HOME);
const sealedFields = (contract: typeof original): number =>
  contract.messageFields.filter((field) => field.sealedAs).length;

test('the clear variant reads and stores the same, and seals nothing', () => {
  const { contract } = variantOf(folder, CLEAR);
  expect(contract.sourceFields).toEqual(original.sourceFields);
  expect(contract.table.columns.map(({ name }) => name)).toEqual(original.table.columns.map(({ name }) => name));
  expect(sealedFields(contract)).toBe(0);
});

test('the undelayed variant differs in its names only', () => {
  const { contract } = variantOf(folder, UNDELAYED);
  expect(contract.messageFields).toEqual(original.messageFields);
  expect(contract.topic.name).not.toBe(original.topic.name);
  expect(contract.table.name).not.toBe(original.table.name);
  expect(contract.id).not.toBe(original.id);
});

test('the variant for the peer seals six fields beside its key', () => {
  const { contract } = variantOf(folder, SIX_SEALED);
  expect(sealedFields(contract)).toBe(6);
  expect(contract.properties).toHaveLength(9);
});
