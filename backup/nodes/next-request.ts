import { sleep } from '../../core/clock.ts';
import { asWardlineError, type WardlineError } from '../../core/errors/errors.ts';
import { storeNames } from '../naming.ts';
import { readObject } from '../objects/object-store.ts';
import { MOST_DOCUMENT_BYTES, type Correspondence } from './ask-nodes.ts';
import {
  documentSha256,
  isOfKind,
  openDocument,
  signDocument,
  type DocumentKind,
  type NodeAnswer,
  type NodeRequest,
} from './documents.ts';

/** A request that was found, and believed. */
export interface FoundRequest<R extends NodeRequest> {
  readonly request: R;
  readonly sha256: string;
}

export interface LookParts extends Omit<Correspondence, 'key'> {
  /** The node that looks. */
  readonly node: string;
  readonly signal?: AbortSignal | undefined;
  /** Told of a request that is not believed; it is passed over. */
  readonly onProblem: (problem: WardlineError) => void;
}

const POLL_MILLISECONDS = 500;

/**
 * Waits for a request of this kind that this node is asked by and has not answered, the newest first; only that of
 * `id` where one is given. Undefined after `patience` milliseconds, or when the signal aborts.
 */
export async function nextRequest<R extends NodeRequest>(
  parts: LookParts,
  kind: DocumentKind<R>,
  { id, patience }: { readonly id?: string | undefined; readonly patience: number },
): Promise<FoundRequest<R> | undefined> {
  const deadline = parts.clock.now() + patience;
  while (parts.signal?.aborted !== true) {
    const found = await openRequest(parts, kind, id);
    if (found !== undefined) return found;
    if (parts.clock.now() >= deadline) return undefined;
    await sleep(POLL_MILLISECONDS, parts.signal);
  }
  return undefined;
}

async function openRequest<R extends NodeRequest>(
  parts: LookParts,
  kind: DocumentKind<R>,
  wanted: string | undefined,
): Promise<FoundRequest<R> | undefined> {
  const { store, install, node, clock } = parts;
  const names = storeNames(install);
  const listed = new Set<string>();
  for await (const { name } of store.list(wanted === undefined ? names.allParts : names.parts(wanted)))
    listed.add(name);
  const ids = [...listed].flatMap((name) => /\/([^/]+)\/request\.jws$/.exec(name)?.[1] ?? []);
  for (const id of ids.toReversed()) {
    if (listed.has(names.part(id, node))) continue;
    const found = await readRequest(parts, kind, id);
    if (found === undefined) continue;
    const { request } = found;
    if (request.nodes.includes(node) && clock.now() < Date.parse(request.until)) return found;
  }
  return undefined;
}

async function readRequest<R extends NodeRequest>(
  { store, install, trusted, onProblem }: LookParts,
  kind: DocumentKind<R>,
  id: string,
): Promise<FoundRequest<R> | undefined> {
  const name = storeNames(install).request(id);
  try {
    const text = (await readObject(store, name, MOST_DOCUMENT_BYTES)).toString('utf8');
    if (!isOfKind(kind, text)) return undefined;
    const request = openDocument(kind, text, { name, install, trusted });
    return request.id === id ? { request, sha256: documentSha256(text) } : undefined;
  } catch (error) {
    const problem = asWardlineError(error);
    // Withdrawn since it was listed.
    if (problem.code === 'OBJECT_NOT_FOUND') return undefined;
    if (problem.code !== 'BACKUP_DAMAGED') throw error;
    onProblem(problem);
    return undefined;
  }
}

/**
 * Puts this node's answer beside the request. Returns false, and does nothing, where the request was withdrawn or has
 * ended meanwhile: nobody waits for the answer any more.
 */
export async function answer<A extends NodeAnswer>(
  parts: Correspondence,
  kind: DocumentKind<A>,
  { request }: FoundRequest<NodeRequest>,
  document: A,
): Promise<boolean> {
  const { store, install, clock, key } = parts;
  const names = storeNames(install);
  const isOpen = async (): Promise<boolean> =>
    clock.now() < Date.parse(request.until) && (await store.stat(names.request(request.id))) !== undefined;
  if (!(await isOpen())) return false;
  const name = names.part(request.id, document.node);
  await store.put(name, Buffer.from(signDocument(kind, document, key)));
  // Whoever asked may have taken the answer and removed everything, or has just given up.
  if (!(await isOpen())) await store.remove(name);
  return true;
}
