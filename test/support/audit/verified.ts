import { wardline } from '../wardline.ts';

interface Verified {
  readonly epochs: readonly Readonly<Record<string, unknown>>[];
  readonly findings: readonly unknown[];
  readonly declaredLosses: readonly unknown[];
}

/**
 * What `audit verify` says of the shared stack. Left out is what the test of Kafka's rights puts onto the checkpoints
 * topic, as those who may write there: messages that are no checkpoints, which each verification rightly names.
 */
export async function verified(home: string, ...flags: readonly string[]): Promise<Verified> {
  const { json, stderr } = await wardline(['audit', 'verify', ...flags, '--home', home, '--json']);
  const findings = json['findings'] as readonly Readonly<Record<string, unknown>>[] | undefined;
  if (findings === undefined) throw new Error(`audit verify said nothing of the log:\n${stderr}`);
  return {
    epochs: json['epochs'] as Verified['epochs'],
    findings: findings.filter(({ where, kind }) => !(where === 'checkpoints topic' && kind === 'signature')),
    declaredLosses: json['declared_losses'] as Verified['declaredLosses'],
  };
}
