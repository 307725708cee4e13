import { createHmac, hash, randomBytes } from 'node:crypto';
import { lengthPrefixed } from '../core/encoding/length-prefixed.ts';

/** A backup's name: the moment at which it began (UTC), which orders backups by text, and what keeps two of them apart. */
export const BACKUP_ID = /^\d{8}T\d{6}Z-[0-9a-f]{6}$/;

export function newBackupId(now: number): string {
  return `${compactTime(now)}-${randomBytes(3).toString('hex')}`;
}

/** `20261128T021800Z`: ISO 8601 in its basic form, to the second. */
function compactTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().replaceAll(/[-:]/g, '').slice(0, 15)}Z`;
}

const SEQUENCE_DIGITS = 12;

/** Where everything stands in a store. All of it begins with the installation, so that several can share one store. */
export function storeNames(install: string) {
  const below = (...parts: readonly string[]): string => [install, ...parts].join('/');
  return {
    /** What a backup holds of servers' files, by `contentName`. */
    contents: below('objects/'),
    content: (name: string) => below('objects', name.slice(0, 2), `${name}.age`),
    /** The one object that makes a backup one: written last, removed first. */
    manifests: below('manifests/'),
    manifest: (backup: string) => below('manifests', `${backup}.jws`),
    /** What the other nodes of a cluster are asked to do for a backup or a restore, and what each answers. */
    request: (id: string) => below('parts', id, 'request.jws'),
    part: (id: string, node: string) => below('parts', id, `${node}.jws`),
    parts: (id: string) => below('parts', `${id}/`),
    allParts: below('parts/'),
    /** Marks of what is under way: see markUnderWay. */
    underWay: (what: string, id: string) => below('under-way', what, id),
    allUnderWay: (what: string) => below('under-way', `${what}/`),
    marks: below('under-way/'),
    /** The log archive of a topic: chunks and, beside each, what vouches for it. */
    log: (topic: string) => below('log', `${topic}/`),
    chunk: (topic: string, sequence: number) => below('log', topic, `${digits(sequence)}.age`),
    chunkSeal: (topic: string, sequence: number) => below('log', topic, `${digits(sequence)}.jws`),
    /** One empty object for each topic that is in the archive, so that nobody has to list all chunks to know. */
    archivedTopics: below('log-topics/'),
    archivedTopic: (topic: string) => below('log-topics', topic),
    /** Checkpoints of the audit log, as the notary signed them. */
    checkpoints: below('checkpoints/'),
    checkpoint: (epoch: number) => below('checkpoints', String(epoch)),
    drills: below('drills/'),
    drillReport: (drill: string, form: 'jws' | 'html') => below('drills', `${drill}.${form}`),
  } as const;
}

/** Where everything stands in the escrow's store, which is another: without versions, so that what is removed is gone. */
export function escrowNames(install: string) {
  const below = (...parts: readonly string[]): string => [install, ...parts].join('/');
  return {
    /** Of one contract, or of all. */
    keys: (contract?: string) => (contract === undefined ? below('keys/') : below('keys', `${opaque(contract)}/`)),
    /** What is kept of one subject and class: every name that begins so. */
    subject: (contract: string, classification: string, tag: string) =>
      below('keys', opaque(contract), classification, `${tag}.`),
    key: (contract: string, classification: string, tag: string, generation: number, kid: string) =>
      below('keys', opaque(contract), classification, `${tag}.${digits(generation)}.${kid}.age`),
    erased: (contract: string, classification: string, tag: string) =>
      below('keys', opaque(contract), classification, `${tag}.erased.age`),
    keyStores: below('key-stores/'),
    keyStore: (principal: string) => below('key-stores', `${principal}.age`),
  } as const;
}

/** A whole number with so many digits that texts sort as numbers do. */
export function digits(number: number): string {
  return String(number).padStart(SEQUENCE_DIGITS, '0');
}

/** A contract's id may hold what a name may not. */
function opaque(text: string): string {
  return hash('sha256', text, 'hex').slice(0, 32);
}

/**
 * The name of a content: HMAC-SHA-256, under the installation's naming key, of the content's own SHA-256 and of the
 * recipients that it is encrypted to. The same content to the same recipients has one name, so that it is stored once; a
 * store's owner cannot tell from a name whether a guessed content is in it; and new recipients get objects of their own.
 */
export function contentName(namingKey: Uint8Array, sha256: string, recipients: readonly string[]): string {
  return createHmac('sha256', namingKey)
    .update(lengthPrefixed(['wardline backup content', sha256, ...recipients.toSorted()]))
    .digest('hex');
}
