import { linkSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { z } from 'zod';
import type { Clock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from '../../core/files.ts';
import type { Home } from '../../core/home.ts';

/**
 * Who can read what this home backs up and escrows. `recipients.json` names them by their public halves, and whoever
 * encrypts needs nothing else. The private half of the recovery identity is a file of its own, made to be taken away:
 * from then on the machine that makes a backup cannot read it. A drill identity, which stays, is there only where
 * somebody asked for one.
 */
const recipientsSchema = z.strictObject({
  /** The newest first: that one is encrypted to; the others open what was made before it. */
  recovery: z.array(z.string().startsWith('age1')).min(1),
  drill: z.string().startsWith('age1').optional(),
});

export interface Recipients {
  readonly recovery: string;
  /** Recovery recipients of before, the newest first. Nothing is encrypted to them any more. */
  readonly former: readonly string[];
  readonly drill: string | undefined;
  /** Where the private half of a recovery identity stands in the home still, for as long as it does. */
  readonly identityFile: string | undefined;
}

/** The recipients to encrypt to. Throws IDENTITY_MISSING where the home has none yet. */
export function readRecipients(home: Home): readonly string[] {
  const { recovery, drill } = describeRecipients(home);
  return drill === undefined ? [recovery] : [recovery, drill];
}

/** All that is known of the recipients without a private half. Throws IDENTITY_MISSING, CONFIGURATION_INVALID. */
export function describeRecipients(home: Home): Recipients {
  const stored = storedRecipients(home);
  const [recovery, ...former] = stored?.recovery ?? [];
  if (recovery === undefined)
    throw new WardlineError('IDENTITY_MISSING', `${home.path} has no recovery identity to back up for`, {
      hint: 'make one with: wardline up, or wardline backup identity new',
    });
  const here = readIfPresent(identityPath(home)) !== undefined;
  return { recovery, former, drill: stored?.drill, identityFile: here ? identityPath(home) : undefined };
}

/**
 * Makes the recovery identity of a home that has none. Safe to call again after a crash at any point, and by several
 * processes at once. Returns whether the home had none.
 */
export async function ensureRecovery(home: Home, clock: Clock): Promise<boolean> {
  if (storedRecipients(home) !== undefined) return false;
  makeSecretFolder(dirname(identityPath(home)));
  writeOnce(identityPath(home), await newIdentityText(clock));
  const [identity = ''] = identitiesIn(identityPath(home));
  writeRecipients(home, { recovery: [await identityToRecipient(identity)] });
  return true;
}

/**
 * Makes a new recovery identity: what is made from now on is encrypted to it, and no longer to the one before, which
 * still opens what was made until now. Where that one's private half is here still, both stand in one file.
 * Returns the new recipient and that file.
 */
export async function makeRecovery(home: Home, clock: Clock): Promise<{ recipient: string; file: string }> {
  const file = identityPath(home);
  makeSecretFolder(dirname(file));
  const text = await newIdentityText(clock);
  const stored = storedRecipients(home);
  writeFileAtomic(file, `${text}${readIfPresent(file) ?? ''}`);
  const recipient = await identityToRecipient(identitiesIn(file)[0] ?? '');
  writeRecipients(home, { ...stored, recovery: [recipient, ...(stored?.recovery ?? [])] });
  return { recipient, file };
}

/**
 * Makes a drill identity, or a new one in place of it: a second recipient whose private half stays in the home, so that
 * drills can open what they restore without anybody's help. It costs the separation: whoever takes over this home can
 * then read every backup made from now on.
 */
export async function makeDrillIdentity(home: Home, clock: Clock): Promise<{ recipient: string; file: string }> {
  const stored = storedRecipients(home);
  if (stored === undefined) throw new WardlineError('IDENTITY_MISSING', 'first make a recovery identity');
  const file = drillPath(home);
  writeFileAtomic(file, await newIdentityText(clock));
  const drill = await identityToRecipient(identitiesIn(file)[0] ?? '');
  writeRecipients(home, { ...stored, drill });
  return { recipient: drill, file };
}

/**
 * The private halves to decrypt with: those in `file`, or without one whatever stands in the home, the recovery identity
 * before the drill's. Throws IDENTITY_MISSING where there is none, IDENTITY_WRONG where the file is no identity file.
 */
export function readIdentities(home: Home, file?: string): readonly string[] {
  if (file !== undefined) return identitiesIn(file);
  const found = [identityPath(home), drillPath(home)].filter((path) => readIfPresent(path) !== undefined);
  if (found.length > 0) return found.flatMap(identitiesIn);
  throw new WardlineError('IDENTITY_MISSING', 'the recovery identity is not in this home', {
    hint: 'bring it from where it is kept, and name it with: --identity FILE',
  });
}

/** Reads age's own form of an identity file: one identity a line; empty lines and those that begin with # are passed over. */
export function identitiesIn(file: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new WardlineError('IDENTITY_MISSING', `${file} cannot be read`, {
      hint: 'name the file that holds the recovery identity: --identity FILE',
      cause,
    });
  }
  const lines = text.split('\n').map((line) => line.trim());
  const identities = lines.filter((line) => line !== '' && !line.startsWith('#'));
  // Nothing of what the file says goes into the error: it may be a secret all the same.
  if (identities.length === 0 || identities.some((line) => !line.startsWith('AGE-SECRET-KEY-1')))
    throw new WardlineError('IDENTITY_WRONG', `${file} is not a file of age identities`, {
      hint: 'it holds lines that begin with AGE-SECRET-KEY-1, as age-keygen writes them',
    });
  return identities;
}

async function newIdentityText(clock: Clock): Promise<string> {
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  return `# created: ${new Date(clock.now()).toISOString()}\n# public key: ${recipient}\n${identity}\n`;
}

function storedRecipients(home: Home): z.infer<typeof recipientsSchema> | undefined {
  const path = home.paths.recipients;
  const text = readIfPresent(path);
  if (text === undefined) return undefined;
  try {
    return recipientsSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new WardlineError('CONFIGURATION_INVALID', `${path} does not name recipients`, {
      hint: 'bring it back from a copy, or move it away and make a new one with: wardline backup identity new',
      cause,
    });
  }
}

function writeRecipients(home: Home, recipients: z.infer<typeof recipientsSchema>): void {
  makeSecretFolder(dirname(home.paths.recipients));
  writeFileAtomic(home.paths.recipients, `${JSON.stringify(recipients, null, 2)}\n`);
}

/** Writes a file unless there is one: a link fails where its name is taken. */
function writeOnce(path: string, content: string): void {
  const aside = `${path}.${process.pid}`;
  writeFileAtomic(aside, content);
  try {
    linkSync(aside, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** In a folder of its own, so that it can be taken away as a whole. */
function identityPath(home: Home): string {
  return join(home.paths.backup, 'recovery', 'identity.txt');
}

function drillPath(home: Home): string {
  return join(home.paths.backup, 'drill-identity.txt');
}
