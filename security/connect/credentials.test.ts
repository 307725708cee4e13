import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { MINT_TIMEOUT, temporaryHome, type TemporaryHome } from '../../test/support/temporary-home.ts';
import { connectionTo } from '../../test/support/tls-server.ts';
import { authorityPaths, principalAccess } from '../certs/identities.ts';
import { mintCertificates } from '../certs/mint.ts';
import { PRINCIPAL_NAMES } from '../principals/names.ts';
import { credentials } from './credentials.ts';

let ours: TemporaryHome;

beforeAll(async () => {
  ours = temporaryHome();
  await mintCertificates(ours.home, systemClock);
}, MINT_TIMEOUT);
afterAll(() => ours.remove());

describe('credentials', () => {
  it('say what a client needs', () => {
    const { certificate: cert, key, passwordFile } = principalAccess(ours.home, 'break-glass');
    const tls = { ca: authorityPaths(ours.home).trust, cert, key };
    expect(credentials(connectionTo(ours.home, 9), 'break-glass')).toEqual({
      principal: 'break-glass',
      kafka: {
        brokers: ['127.0.0.1:9'],
        tls,
        sasl: { mechanism: 'SCRAM-SHA-512', username: 'break-glass', passwordFile },
      },
      cassandra: {
        contactPoints: ['127.0.0.1:9'],
        localDataCenter: 'datacenter1',
        tls,
        username: 'break-glass',
        passwordFile,
      },
    });
  });

  it.each(PRINCIPAL_NAMES)('of %s name files that exist and hold no secret themselves', (principal) => {
    const found = credentials(connectionTo(ours.home, 9), principal);
    const { ca, cert, key } = found.kafka.tls;
    const password = readFileSync(found.kafka.sasl.passwordFile, 'utf8');
    for (const path of [ca, cert, key]) expect(readFileSync(path, 'utf8')).toContain('-----BEGIN');
    expect(JSON.stringify(found)).not.toContain(password);
  });
});
