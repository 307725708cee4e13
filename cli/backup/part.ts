import type { Command } from 'commander';
import { signingKey } from '../../audit/signature/signing-key.ts';
import type { ManifestShelf } from '../../backup/manifest/stored-manifests.ts';
import { SNAPSHOT_REQUEST } from '../../backup/nodes/documents.ts';
import { nextRequest, type LookParts } from '../../backup/nodes/next-request.ts';
import { takePart, type PartSummary, type TakePartParts } from '../../backup/nodes/take-part.ts';
import { readRecipients } from '../../backup/recipients/recovery.ts';
import { embeddedNode } from '../../backup/snapshot/node.ts';
import { sleep, systemClock } from '../../core/clock.ts';
import { asWardlineError, WardlineError } from '../../core/errors/errors.ts';
import { accessOf, readCredential } from '../../security/connect/access.ts';
import { openKeyStore } from '../../security/keyring/key-store/key-store.ts';
import { contextOf, type CommandContext } from '../context.ts';
import { createNews } from '../terminal/news.ts';
import { byteCount } from '../terminal/options.ts';
import { FILES_AT_ONCE } from './create.ts';
import { nodeHere } from './node-here.ts';
import { bytesText, withShelf, type ShelfOptions } from './shelf.ts';

const ARCHIVER = 'archiver';
const RETRY_MILLISECONDS = 1000;

interface PartOptions extends ShelfOptions {
  readonly follow?: boolean;
}

/** Adds `backup part`. */
export function registerPart(backup: Command): void {
  backup
    .command('part')
    .description("do this host's part of a backup that another host makes, where Cassandra has several nodes")
    .argument('[backup]', 'an id, or latest', 'latest')
    .option('--follow', 'go on with the parts of later backups, until stopped')
    .option('--rate-limit <bytes>', 'write and read at most so many bytes a second, such as 10MB', byteCount)
    .addHelpText('after', '\nExamples:\n  wardline backup part\n  wardline backup part --follow --rate-limit 20MB')
    .action(async (id: string, options: PartOptions, command: Command) => {
      const context = contextOf(command);
      await withShelf(
        context,
        (shelf) => (options.follow === true ? followParts(context, shelf) : onePart(context, shelf, id)),
        options,
      );
    });
}

async function onePart(context: CommandContext, shelf: ManifestShelf, named: string): Promise<void> {
  const node = await nodeHere(context, ARCHIVER);
  const id = named === 'latest' ? undefined : named;
  const patience = context.settings().backup.patienceSeconds * 1000;
  const found = await nextRequest(lookParts(context, shelf, node), SNAPSHOT_REQUEST, { id, patience });
  if (found === undefined)
    throw new WardlineError('NOT_FOUND', `no backup asks for a part of node ${node}`, {
      hint: 'begin one on another host: wardline backup create',
    });
  await withParts(context, shelf, node, async (parts) => say(context, await takePart(parts, found)));
}

/** What fails is said, and the next backup asks again. */
async function followParts(context: CommandContext, shelf: ManifestShelf): Promise<void> {
  const node = await nodeHere(context, ARCHIVER);
  const isNews = createNews(systemClock);
  const look = { ...lookParts(context, shelf, node), signal: context.signal };
  context.output.note(`doing the part of node ${node} of every backup, until stopped`);
  while (!context.signal.aborted) {
    try {
      const found = await nextRequest(look, SNAPSHOT_REQUEST, { patience: Infinity });
      if (found === undefined) return;
      await withParts(context, shelf, node, async (parts) => say(context, await takePart(parts, found)));
    } catch (error) {
      const { message } = asWardlineError(error);
      if (isNews(message)) context.output.note(message);
      await sleep(RETRY_MILLISECONDS, context.signal);
    }
  }
}

function say(context: CommandContext, part: PartSummary): void {
  const { backup, node, files, bytes, sent } = part;
  context.output.result(
    { ...part },
    () =>
      `Part of backup ${backup}, node ${node}: ${files} files, ${bytesText(bytes)}; ${bytesText(sent)} sent. The backup is one once its manifest stands.`,
  );
}

function lookParts(context: CommandContext, { store, install, trusted }: ManifestShelf, node: string): LookParts {
  const isNews = createNews(systemClock);
  return {
    ...{ store, install, trusted, node, clock: systemClock },
    onProblem: ({ message }) => {
      if (isNews(message)) context.output.note(`passed over: ${message}`);
    },
  };
}

async function withParts(
  context: CommandContext,
  { store, trusted }: ManifestShelf,
  nodeId: string,
  work: (parts: TakePartParts) => Promise<void>,
): Promise<void> {
  const home = context.home();
  const access = accessOf(context.connection(), ARCHIVER);
  const keyStore = await openKeyStore(access);
  const audit = context.audit(ARCHIVER);
  try {
    await work({
      ...{ home, store, trusted, audit, nodeId, clock: systemClock, parallel: FILES_AT_ONCE },
      signingKey: signingKey(ARCHIVER, readCredential(access.signingKey)),
      namingKey: keyStore.namingKey(),
      recipients: readRecipients(home),
      node: embeddedNode(home),
      patience: context.settings().backup.patienceSeconds * 1000,
      onProgress: ({ files, bytes }) => context.output.progress(`${files} files, ${bytesText(bytes)}`),
    });
  } finally {
    await audit.close();
  }
}
