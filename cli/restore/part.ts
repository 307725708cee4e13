import { signingKey } from '../../audit/signature/signing-key.ts';
import { IMPORT_REQUEST } from '../../backup/nodes/documents.ts';
import { nextRequest } from '../../backup/nodes/next-request.ts';
import { takeInFor, type TakeInParts } from '../../backup/nodes/take-in.ts';
import { readIdentities } from '../../backup/recipients/recovery.ts';
import { sleep, systemClock } from '../../core/clock.ts';
import { asWardlineError } from '../../core/errors/errors.ts';
import { accessOf, readCredential } from '../../security/connect/access.ts';
import { nodeHere } from '../backup/node-here.ts';
import { withShelf } from '../backup/shelf.ts';
import type { CommandContext } from '../context.ts';
import { createNews } from '../terminal/news.ts';
import { aloneRestoring } from './alone.ts';

const OPERATOR = 'operator';
const FILES_AT_ONCE = 8;
const RETRY_MILLISECONDS = 1000;

/**
 * Takes into this home's node what a restore on another host asks for, table after table, until stopped. What fails is
 * said; the restore that asked waits, and the same is tried again until it gives up. Returns how many tables it took in.
 */
export async function followRestore(context: CommandContext, identityFile: string | undefined): Promise<number> {
  const home = context.home();
  const identities = readIdentities(home, identityFile);
  const access = accessOf(context.connection(), OPERATOR);
  const nodeId = await nodeHere(context, OPERATOR);
  const isNews = createNews(systemClock);
  const sayOnce = (text: string): void => {
    if (isNews(text)) context.output.note(text);
  };
  return withShelf(context, async ({ store, install, trusted }) => {
    const audit = context.audit(OPERATOR);
    const parts: TakeInParts = {
      ...{ home, store, install, trusted, nodeId, audit, clock: systemClock },
      key: signingKey(OPERATOR, readCredential(access.signingKey)),
      fetch: { store, install, identities, parallel: FILES_AT_ONCE },
    };
    const look = {
      ...{ store, install, trusted, node: nodeId, clock: systemClock, signal: context.signal },
      onProblem: ({ message }: Error) => sayOnce(`passed over: ${message}`),
    };
    context.output.note(`taking into node ${nodeId} what restores on other hosts ask for, until stopped`);
    let tables = 0;
    try {
      while (!context.signal.aborted) {
        try {
          const found = await nextRequest(look, IMPORT_REQUEST, { patience: Infinity });
          if (found === undefined) break;
          const { keyspace, table } = found.request.target;
          context.output.note(`${keyspace}.${table}: from backup ${found.request.backup}`);
          await aloneRestoring(home, () => takeInFor(parts, found));
          tables += 1;
        } catch (error) {
          sayOnce(asWardlineError(error).message);
          await sleep(RETRY_MILLISECONDS, context.signal);
        }
      }
    } finally {
      await audit.close();
    }
    return tables;
  });
}
