import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';

import { systemClock } from '../core/clock.ts';
import { loadConnection, loadSettings } from '../core/configuration.ts';
import { authorityPaths, principalAccess } from '../security/certs/identities.ts';
import { mintCertificates } from '../security/certs/mint.ts';
import { rotateCertificates } from '../security/certs/rotate.ts';
import { SPAN_NAMES } from '../telemetry/names.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { withSpan } from '../telemetry/with-span.ts';
import { MINT_TIMEOUT, temporaryHome, type TemporaryHome } from '../test/support/temporary-home.ts';
import { connectionTo, serverFiles } from '../test/support/tls-server.ts';
import type { CommandContext } from './context.ts';
import { openTelemetry } from './telemetry.ts';

interface Shown {
  readonly url: string;
  readonly name: string;
  readonly serial: string;
}

let made: TemporaryHome;
let collector: Server;
/** What came, and from whom. */
let shown: Shown[] = [];

beforeAll(async () => {
  made = temporaryHome();
  await mintCertificates(made.home, systemClock);
  const files = serverFiles(made.home, 'kafka');
  const [cert, key, ca] = [files.certificate, files.key, files.ca].map((path) => readFileSync(path));
  collector = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    if (!(request.socket instanceof TLSSocket)) throw new Error('not over TLS');
    const { subject, serialNumber } = request.socket.getPeerCertificate();
    shown.push({ url: request.url ?? '', name: String(subject.CN), serial: serialNumber });
    request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
}, MINT_TIMEOUT);
afterAll(() => {
  collector.closeAllConnections();
  collector.close();
  made.remove();
});
beforeEach(() => {
  shown = [];
});

/** A worker's telemetry, where `telemetry` is that block of the settings; and what it had to complain about. */
async function open(
  telemetry: Readonly<Record<string, unknown>>,
): Promise<Telemetry & { readonly problems: string[] }> {
  const { home } = made;
  writeFileSync(home.paths.configuration, stringify({ telemetry, connection: connectionTo(home, 9) }));
  const settings = loadSettings(home);
  const context = { home: () => home, settings: () => settings, connection: () => loadConnection(home, settings) };
  const problems: string[] = [];
  const opened = await openTelemetry(context as CommandContext, 'worker', 'worker', (text) => problems.push(text));
  return { ...opened, problems };
}

async function sendSpan({ tracer, flush }: Telemetry): Promise<void> {
  await withSpan(tracer, SPAN_NAMES.run, {}, () => undefined);
  await flush();
}

const endpoint = (): string => `https://127.0.0.1:${(collector.address() as AddressInfo).port}`;

describe('telemetry to a collector whose authority is named', () => {
  it("comes with the principal's certificate, the one of the moment", async () => {
    const telemetry = await open({ otlpEndpoint: endpoint(), otlpCa: authorityPaths(made.home).trust });
    await sendSpan(telemetry);
    const before = shown;
    expect(before.map(({ url }) => url)).toContain('/v1/traces');
    expect(new Set(before.map(({ name }) => name))).toEqual(new Set(['worker']));
    shown = [];
    await rotateCertificates(made.home, systemClock);
    collector.closeAllConnections();
    await sendSpan(telemetry);
    await telemetry.shutdown();
    expect(telemetry.problems).toEqual([]);
    expect(shown.length).toBeGreaterThan(0);
    expect(shown.map(({ serial }) => serial)).not.toContain(before[0]?.serial);
  });

  it('is sent to nobody whom that authority did not sign, nor without one to a stranger', async () => {
    const own = principalAccess(made.home, 'worker').certificate;
    for (const trust of [{ otlpCa: own }, {}]) {
      const telemetry = await open({ otlpEndpoint: endpoint(), ...trust });
      await sendSpan(telemetry);
      await telemetry.shutdown();
      expect(telemetry.problems.length).toBeGreaterThan(0);
    }
    expect(shown).toEqual([]);
  });

  it('does not begin where the file of the authority is missing', async () => {
    await expect(open({ otlpEndpoint: endpoint(), otlpCa: 'missing.crt' })).rejects.toMatchObject({
      code: 'CREDENTIAL_MISSING',
    });
  });
});
