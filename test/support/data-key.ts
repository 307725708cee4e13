import { randomBytes } from 'node:crypto';
import { keyMemory, type DataKey } from '../../security/keyring/data-key.ts';

/** A fresh DEK for tests, with whatever the test wants to be different. */
export function testDataKey(different: Partial<DataKey> = {}): DataKey {
  return {
    kid: randomBytes(18).toString('base64url'),
    key: keyMemory(randomBytes(32)),
    contract: 'smart-home',
    subject: 'home-0001',
    classification: 'personal',
    generation: 1,
    createdAt: 0,
    ...different,
  };
}
