import type { SigningKey, TrustedKeys } from '../../audit/signature/signing-key.ts';
import { sleep, type Clock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { storeNames } from '../naming.ts';
import { readObject, type ObjectStore } from '../objects/object-store.ts';
import {
  documentSha256,
  openDocument,
  signDocument,
  type DocumentKind,
  type NodeAnswer,
  type NodeRequest,
} from './documents.ts';

/** Where the nodes of an installation find one another's requests and answers, and who signs here. */
export interface Correspondence {
  readonly store: ObjectStore;
  readonly install: string;
  readonly clock: Clock;
  readonly key: SigningKey;
  readonly trusted: TrustedKeys;
}

export interface AskParts extends Correspondence {
  /** Told of the nodes that are still waited for, whenever that changes. */
  readonly onWaiting: (nodes: readonly string[]) => void;
}

const POLL_MILLISECONDS = 500;
export const MOST_DOCUMENT_BYTES = 512 * 1024 * 1024;

/**
 * Asks other nodes to do their part, does one's own meanwhile, and waits until all have answered, at most until the
 * request ends. However it ends, request and answers are removed. Throws NODE_MISSING, naming who did not answer;
 * BACKUP_DAMAGED where an answer is not one of that node to this request.
 */
export async function askNodes<R extends NodeRequest, A extends NodeAnswer, T>(
  parts: AskParts,
  kinds: { readonly request: DocumentKind<R>; readonly answer: DocumentKind<A> },
  request: R,
  meanwhile: () => Promise<T>,
): Promise<{ readonly own: T; readonly answers: readonly A[] }> {
  const { store, install, key } = parts;
  const text = signDocument(kinds.request, request, key);
  try {
    await store.put(storeNames(install).request(request.id), Buffer.from(text));
    const own = await meanwhile();
    const answers = await answersTo(parts, kinds.answer, request, documentSha256(text));
    return { own, answers };
  } finally {
    // A store that is away keeps them: the request ends by itself, and a prune removes what is left.
    await withdraw(parts, request.id).catch(() => undefined);
  }
}

async function answersTo<A extends NodeAnswer>(
  parts: AskParts,
  kind: DocumentKind<A>,
  request: NodeRequest,
  requestSha256: string,
): Promise<readonly A[]> {
  const answers = new Map<string, A>();
  const missing = (): string[] => request.nodes.filter((node) => !answers.has(node));
  for (let told = -1; missing().length > 0;) {
    for (const node of missing()) {
      const answer = await answerOf(parts, kind, request.id, node, requestSha256);
      if (answer !== undefined) answers.set(node, answer);
    }
    const waiting = missing();
    if (waiting.length === 0) break;
    if (parts.clock.now() >= Date.parse(request.until)) throw nodesMissing(waiting);
    if (told !== waiting.length) parts.onWaiting(waiting);
    told = waiting.length;
    await sleep(POLL_MILLISECONDS);
  }
  return request.nodes.flatMap((node) => answers.get(node) ?? []);
}

async function answerOf<A extends NodeAnswer>(
  { store, install, trusted }: Correspondence,
  kind: DocumentKind<A>,
  id: string,
  node: string,
  requestSha256: string,
): Promise<A | undefined> {
  const name = storeNames(install).part(id, node);
  if ((await store.stat(name)) === undefined) return undefined;
  const text = (await readObject(store, name, MOST_DOCUMENT_BYTES)).toString('utf8');
  const answer = openDocument(kind, text, { name, install, trusted });
  if (answer.id === id && answer.node === node && answer.request === requestSha256) return answer;
  throw new WardlineError('BACKUP_DAMAGED', `${name} is no answer of node ${node} to what it was asked`, {
    hint: 'begin again',
  });
}

/** The request goes first: nobody answers any more then. */
async function withdraw({ store, install }: Correspondence, id: string): Promise<void> {
  const names = storeNames(install);
  await store.remove(names.request(id));
  const answers: string[] = [];
  for await (const { name } of store.list(names.parts(id))) answers.push(name);
  for (const name of answers) await store.remove(name);
}

function nodesMissing(nodes: readonly string[]): WardlineError {
  return new WardlineError('NODE_MISSING', `the nodes ${nodes.join(', ')} did not do their part in time`, {
    hint: 'on the host of each, run wardline backup part (or, for a restore, wardline restore --part), then begin again',
  });
}
