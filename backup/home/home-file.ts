import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, normalize, relative } from 'node:path';
import { z } from 'zod';
import { WardlineError } from '../../core/errors/errors.ts';
import { makeSecretFolder, writeFileAtomic } from '../../core/files.ts';
import { homePaths, markerText, openHome, type Home } from '../../core/home.ts';
import { stackLayout } from '../../stack/index.ts';
import { decryptBytes, encryptBytes } from '../recipients/age-file.ts';
import { describeRecipients } from '../recipients/recovery.ts';
import { HOME_PARTS } from './parts.ts';

const PERMISSIONS = 0o700;

/** A path below the home, with `/`: nothing that leads out of it. */
const insidePath = z
  .string()
  .min(1)
  .refine((path) => !isAbsolute(path) && normalize(path) === path && !path.startsWith('..'));

const contentSchema = z.strictObject({
  format: z.literal(1),
  install: z.uuid(),
  files: z.array(z.strictObject({ path: insidePath, mode: z.int().min(0).max(0o777), content: z.base64() })).min(1),
});

/**
 * A home without what its servers hold, as one age v1 file for the recovery identity, and for that alone: it holds every
 * key of the installation, and is to lie where the recovery sheet lies. In it is one JSON document, so that it opens with
 * `age -d` and any JSON reader: `{format, install, files: [{path, mode, content}]}`, contents in base64.
 */
export async function sealHome(home: Home): Promise<{ readonly bytes: Buffer; readonly files: number }> {
  // Another machine has other ports that are free.
  const { ports } = stackLayout(home);
  const target = homePaths('/');
  const files = [...HOME_PARTS, 'configuration' as const, 'recipients' as const].flatMap((name) =>
    filesBelow(home.paths[name])
      .filter((file) => file !== ports)
      .map((file) => ({
        path: join(relative('/', target[name]), relative(home.paths[name], file)),
        mode: statSync(file).mode & PERMISSIONS,
        content: readFileSync(file).toString('base64'),
      })),
  );
  const content: z.infer<typeof contentSchema> = { format: 1, install: home.install, files };
  const { recovery } = describeRecipients(home);
  return { bytes: await encryptBytes([recovery], Buffer.from(JSON.stringify(content))), files: files.length };
}

/**
 * Makes a home of what `sealHome` made. Anybody can encrypt to a recovery identity: that the file is the one that was
 * made is for the caller to know, by its digest. Throws USAGE where the folder holds anything, IDENTITY_WRONG,
 * OBJECT_DAMAGED.
 */
export async function openSealedHome(bytes: Uint8Array, identities: readonly string[], path: string): Promise<Home> {
  if (existsSync(path) && readdirSync(path).length > 0)
    throw new WardlineError('USAGE', `${path} is not empty`, { hint: 'name a folder that is not there yet' });
  const { install, files } = contentOf(await decryptBytes(identities, bytes));
  makeSecretFolder(path);
  for (const { path: place, mode, content } of files) {
    const file = join(path, place);
    makeSecretFolder(dirname(file));
    writeFileAtomic(file, Buffer.from(content, 'base64'), mode);
  }
  // Last: from here on it is a home.
  writeFileAtomic(homePaths(path).marker, markerText({ install }));
  return openHome(path);
}

function contentOf(bytes: Buffer): z.infer<typeof contentSchema> {
  try {
    return contentSchema.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    // Without its cause: that might quote what the file holds.
    throw new WardlineError('OBJECT_DAMAGED', 'what was decrypted is no home', {
      hint: 'name a file that wardline backup home save made',
    });
  }
}

function filesBelow(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}
