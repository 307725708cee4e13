import { accessOf } from '../security/connect/access.ts';
import { tlsContext } from '../security/connect/material/tls-context.ts';
import type { PrincipalName } from '../security/principals/names.ts';
import { startTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import type { CommandContext } from './context.ts';

/**
 * Starts this process's telemetry. A collector whose authority the settings name is shown the certificate of `principal`.
 * Throws CREDENTIAL_MISSING where that authority's file or the certificate is absent, CERTIFICATE_INVALID where damaged.
 */
export function openTelemetry(
  context: CommandContext,
  service: string,
  principal: PrincipalName,
  onProblem: (message: string) => void,
): Promise<Telemetry> {
  const settings = context.settings().telemetry;
  const { otlpEndpoint, otlpCa: ca } = settings;
  const isMutual = ca !== undefined && otlpEndpoint?.startsWith('https:') === true;
  return startTelemetry({
    service,
    folder: context.home().paths.telemetry,
    settings,
    tls: isMutual ? tlsContext({ ca, ...accessOf(context.connection(), principal) }) : undefined,
    onProblem,
  });
}
