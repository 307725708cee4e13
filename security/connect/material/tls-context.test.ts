import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { writeFileAtomic } from '../../../core/files.ts';
import { MINT_TIMEOUT, temporaryHome, type TemporaryHome } from '../../../test/support/temporary-home.ts';
import { authorityPaths, principalAccess } from '../../certs/identities.ts';
import { mintCertificates } from '../../certs/mint.ts';
import { tlsContext, type TlsFiles } from './tls-context.ts';

let original: TemporaryHome;
let copy: TemporaryHome;
let files: TlsFiles;

beforeAll(async () => {
  original = temporaryHome();
  await mintCertificates(original.home, systemClock);
}, MINT_TIMEOUT);
beforeEach(() => {
  copy = temporaryHome(original.home);
  const { certificate, key } = principalAccess(copy.home, 'worker');
  files = { ca: authorityPaths(copy.home).trust, certificate, key };
});
afterEach(() => copy.remove());
afterAll(() => original.remove());

const another = () => principalAccess(original.home, 'reader');

describe('tlsContext', () => {
  it('reads once as long as no file changes', () => {
    const context = tlsContext(files);
    expect(context()).toBe(context());
  });

  it('reads again once key and certificate are replaced, and keeps the old pair in between', () => {
    const context = tlsContext(files);
    const old = context();
    writeFileAtomic(files.key, readFileSync(another().key));
    expect(context()).toBe(old);
    writeFileAtomic(files.certificate, readFileSync(another().certificate));
    expect(context()).not.toBe(old);
  });

  it('reads again once the trusted authorities change', () => {
    const context = tlsContext(files);
    const old = context();
    writeFileAtomic(files.ca, readFileSync(files.ca, 'utf8').repeat(2));
    expect(context()).not.toBe(old);
  });

  it('does not go on with what it has where a file is damaged', () => {
    const context = tlsContext(files);
    writeFileSync(files.certificate, 'damaged');
    expect(() => context()).toThrow(expect.objectContaining({ code: 'CERTIFICATE_INVALID' }) as Error);
  });
});
