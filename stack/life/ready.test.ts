import { afterEach, beforeAll, afterAll, expect, it, vi } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { mintCertificates } from '../../security/certs/mint.ts';
import { MINT_TIMEOUT, temporaryHome, type TemporaryHome } from '../../test/support/temporary-home.ts';
import { connectionTo, serverFiles, startTlsServer } from '../../test/support/tls-server.ts';
import { whenReadyElsewhere } from './ready.ts';

/** Longer than any start may take, in milliseconds. */
const LATE = 600_000;

let temporary: TemporaryHome;

beforeAll(async () => {
  temporary = temporaryHome();
  await mintCertificates(temporary.home, systemClock);
}, MINT_TIMEOUT);
afterEach(() => {
  vi.useRealTimers();
});
afterAll(() => temporary.remove());

it('asks as nobody else where the server is not there: it may be there a moment later, and refuse the other', async () => {
  const nobody = await startTlsServer(serverFiles(temporary.home, 'cassandra'));
  await nobody.close();
  const other = await startTlsServer(serverFiles(temporary.home, 'cassandra'));
  const connections = [nobody, other].map(({ port }) => connectionTo(temporary.home, port));
  vi.useFakeTimers({ toFake: ['Date'] });
  const waiting = whenReadyElsewhere('cassandra', connections, 'break-glass');
  const ended = expect(waiting).rejects.toMatchObject({ code: 'SERVER_START_FAILED' });
  vi.setSystemTime(Date.now() + LATE);
  await ended;
  expect(other.clients).toEqual([]);
  await other.close();
});
