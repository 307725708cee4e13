import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { draft } from '../../test/support/contract-draft.ts';
import { findContract, listContracts, SHIPPED_CONTRACTS } from './find.ts';
import { inspectContract } from './load.ts';

describe('finding a contract', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wardline-contracts-'));
  writeFileSync(join(folder, 'metering.odcs.yaml'), stringify(draft()));
  writeFileSync(join(folder, 'notes.yaml'), 'a: 1');
  writeFileSync(join(folder, 'broken.yaml'), ': : [');
  afterAll(() => rmSync(folder, { recursive: true }));
  const folders = [folder, join(folder, 'absent'), SHIPPED_CONTRACTS];

  it.each(['meters', 'metering', 'metering.odcs.yaml', join(folder, 'metering.odcs.yaml')])('by %s', (name) =>
    expect(findContract(name, folders)).toBe(join(folder, 'metering.odcs.yaml')),
  );

  it('lists those that there are', () => {
    expect(listContracts(folders).map(({ id }) => id)).toEqual(['meters', 'smart-home']);
    expect(() => findContract('other', folders)).toThrow(
      expect.objectContaining({
        code: 'CONTRACT_NOT_FOUND',
        hint: expect.stringContaining('meters, smart-home') as string,
      }) as Error,
    );
  });

  it('says what is wrong with a file that cannot be read', () => {
    writeFileSync(join(folder, 'latin1.yaml'), Buffer.from([0x61, 0x3a, 0xe9]));
    expect(() => inspectContract(join(folder, 'latin1.yaml'))).toThrow(/not valid UTF-8/);
    expect(() => inspectContract(join(folder, 'none.yaml'))).toThrow(/cannot be read/);
    writeFileSync(join(folder, 'large.yaml'), 'a'.repeat(1024 * 1024 + 1));
    expect(() => inspectContract(join(folder, 'large.yaml'))).toThrow(/larger than a contract/);
  });
});
