import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import type { EventDocument } from '../../audit/event/document.ts';
import type { EventStatement } from '../../audit/event/event.ts';
import { openPositions } from '../../audit/recorder/position.ts';
import { runRecorder, type RecorderOptions } from '../../audit/recorder/recorder.ts';
import { createEventSigner } from '../../audit/event/sign-event.ts';
import { trustedKeys } from '../../audit/signature/signing-key.ts';
import { verifyEvent } from '../../audit/event/verify-event.ts';
import { sleep, type Clock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519', {
  privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
  publicKeyEncoding: { format: 'pem', type: 'spki' },
});
export const INSTALL = 'i1';
export const keys = trustedKeys(['recorder', 'operator'].map((principal) => ({ principal, publicKeyPem: publicKey })));

export function author(principal: string, clock: Clock) {
  return { principal, host: 'h', install: INSTALL, signingKeyPem: privateKey, clock };
}

export type RecordedTopic = ReturnType<typeof recordedTopic>;

/** A topic in memory: what stands on it, message by message, and whether it takes more. */
export function recordedTopic(clock: Clock) {
  const messages: Buffer[] = [];
  const sign = createEventSigner(author('recorder', clock));
  const state = { refuse: (_statement: EventStatement): boolean => false };
  const appendAll = (statements: readonly EventStatement[]): Promise<void> => {
    const signed = statements.map(sign);
    if (statements.some(state.refuse)) return Promise.reject(new WardlineError('AUDIT_UNAVAILABLE', 'no leader'));
    messages.push(...signed);
    return Promise.resolve();
  };
  return {
    ...{ messages, state },
    events: (): EventDocument[] => messages.map((message) => verifyEvent(message, keys)),
    audit: {
      append: async (statement: EventStatement) => appendAll([statement]),
      appendAll: async (statements: readonly EventStatement[]) => appendAll(statements),
      appendSigned: (more: readonly Buffer[]) => Promise.resolve(void messages.push(...more)),
    },
  };
}

/** Lets a recorder of the folder `home` run until it has nothing more to do, and ends it as SIGTERM does. Returns what it told. */
export async function runToRest(
  home: string,
  to: RecordedTopic,
  more: Pick<RecorderOptions, 'clock' | 'logs'> & Partial<RecorderOptions>,
): Promise<string[]> {
  const stop = new AbortController();
  const told: string[] = [];
  await runRecorder({
    ...{ spool: join(home, 'spool'), install: INSTALL, host: 'h', positions: openPositions(join(home, 'recorder')) },
    ...{ audit: to.audit, stop: stop.signal, pollMilliseconds: 1 },
    onFollowing: () => void whenStill(() => to.messages.length).then(() => stop.abort()),
    onWaiting: (reason) => told.push(`waiting: ${reason}`),
    onTrouble: (trouble) => told.push(trouble),
    ...more,
  });
  return told;
}

/** Resolves once a number has stayed the same for a while. */
async function whenStill(count: () => number): Promise<void> {
  for (let still = 0, last = -1; still < 5; last = count()) {
    await sleep(15);
    still = count() === last ? still + 1 : 0;
  }
}
