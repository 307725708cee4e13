import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import type { Home } from '../../core/home.ts';
import { MINT_TIMEOUT, temporaryHome, type TemporaryHome } from '../../test/support/temporary-home.ts';
import { serverFiles, startTlsServer, WELCOME, type TlsServer } from '../../test/support/tls-server.ts';
import { LEAF_LIFETIME } from './certificate.ts';
import { authorityPaths, principalAccess } from './identities.ts';
import { mintCertificates } from './mint.ts';
import { finishRotation, rotateCertificates } from './rotate.ts';

let ours: TemporaryHome;
let others: TemporaryHome;
let expired: TemporaryHome;
let server: TlsServer;

beforeAll(async () => {
  [ours, others] = [temporaryHome(), temporaryHome()];
  await mintCertificates(ours.home, systemClock);
  await mintCertificates(others.home, systemClock);
  expired = temporaryHome(ours.home);
  await rotateCertificates(expired.home, { now: () => Date.now() - LEAF_LIFETIME - 60_000 });
  server = await startTlsServer(serverFiles(ours.home, 'kafka'));
}, MINT_TIMEOUT);
afterAll(async () => {
  await server.close();
  for (const each of [ours, others, expired]) each.remove();
});

function as(home: Home, name: 'worker' | 'reader' = 'worker'): ConnectionOptions {
  const { certificate, key } = principalAccess(home, name);
  return { cert: readFileSync(certificate), key: readFileSync(key) };
}

/** Connects and says a word: `welcome` when the server answers, `refused` when it hangs up, else the code of the error. */
async function outcome(options: ConnectionOptions, port = server.port, trust = ours.home): Promise<string> {
  const ca = readFileSync(authorityPaths(trust).trust);
  const socket = connect({ host: '127.0.0.1', port, ca, ...options });
  socket.once('secureConnect', () => socket.write('hello'));
  let answer = '';
  socket.on('data', (data: Buffer) => (answer += data.toString()));
  try {
    await Promise.race([once(socket, 'end'), once(socket, 'close')]);
    return answer === WELCOME ? 'welcome' : 'refused';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return code === 'ECONNRESET' || code === 'EPIPE' ? 'refused' : code;
  } finally {
    socket.destroy();
  }
}

describe('a server that holds a minted certificate', () => {
  it('lets a principal of its home in, and knows it by its certificate', async () => {
    expect(await outcome(as(ours.home))).toBe('welcome');
    expect(server.clients.at(-1)?.subject.CN).toBe('worker');
    expect(server.clients.at(-1)?.subjectaltname).toBe(`URI:spiffe://wardline/${ours.home.install}/principal/worker`);
  });

  it.each<[string, () => ConnectionOptions]>([
    ['a client without a certificate', () => ({})],
    ['a certificate of another authority', () => as(others.home)],
    ['an expired certificate', () => as(expired.home)],
  ])('refuses %s, by whichever version of TLS', async (_name, options) => {
    const before = server.clients.length;
    // A server on Node hangs up; where OpenSSL itself refuses, it says why first.
    const refusal = /^refused$|ALERT_(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE)/;
    expect(await outcome(options())).toMatch(refusal);
    expect(await outcome({ ...options(), maxVersion: 'TLSv1.2' })).toMatch(refusal);
    expect(server.clients).toHaveLength(before);
  });

  it('refuses TLS 1.1', async () => {
    const before = server.clients.length;
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    expect(await outcome({ ...as(ours.home), ...old })).toMatch(/ALERT_PROTOCOL_VERSION/);
    expect(server.clients).toHaveLength(before);
  });
});

describe('a client', () => {
  it.each<[string, () => Parameters<typeof startTlsServer>[0], string]>([
    ['of another authority', () => serverFiles(others.home, 'kafka'), 'SELF_SIGNED_CERT_IN_CHAIN'],
    ['that has expired', () => serverFiles(expired.home, 'kafka'), 'CERT_HAS_EXPIRED'],
    [
      'that is a principal passing for a server',
      () => ({ ...principalAccess(ours.home, 'reader'), ca: authorityPaths(ours.home).trust }),
      'INVALID_PURPOSE',
    ],
  ])('refuses a server %s', async (_name, files, refusal) => {
    const impostor = await startTlsServer(files());
    expect(await outcome(as(ours.home), impostor.port)).toBe(refusal);
    await impostor.close();
  });
});

describe('during a rotation of the authority', () => {
  it('old and new certificates meet, until it is finished', async () => {
    const after = temporaryHome(ours.home);
    await rotateCertificates(after.home, systemClock, { authority: true });
    const rotated = await startTlsServer(serverFiles(after.home, 'kafka'));
    expect(await outcome(as(ours.home), rotated.port, after.home)).toBe('welcome');
    expect(await outcome(as(after.home), rotated.port, after.home)).toBe('welcome');
    await rotated.close();
    await finishRotation(after.home, systemClock);
    const finished = await startTlsServer(serverFiles(after.home, 'kafka'));
    expect(await outcome(as(ours.home), finished.port, after.home)).toBe('refused');
    expect(await outcome(as(after.home), finished.port, after.home)).toBe('welcome');
    await finished.close();
    after.remove();
  });
});
