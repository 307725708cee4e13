import { asWardlineError } from '../../core/errors/errors.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { parseContract } from '../../governance/contract/index.ts';
import type { Manifest } from '../manifest/manifest.ts';

/** How long what contracts govern may be kept, in milliseconds; undefined where there is no end, or none that is known. */
export interface Lifetimes {
  /**
   * After its snapshot, of any row in a backup: the longest retention of the contracts in it. Each call also takes note of
   * the contracts' topics.
   */
  ofBackup(contracts: Manifest['contracts']): number | undefined;
  /** Of the messages of a topic for data or dead letters: the longest that any contract noted so far gives them. */
  ofTopic(topic: string): number | undefined;
}

export function lifetimes(): Lifetimes {
  const compiled = new Map<string, CompiledContract | undefined>();
  const topics = new Map<string, number>();
  const contractOf = (document: string): CompiledContract | undefined => {
    if (!compiled.has(document)) compiled.set(document, compiledContract(document));
    return compiled.get(document);
  };
  return {
    ofBackup(contracts) {
      let longest = contracts.length === 0 ? Infinity : 0;
      for (const { document } of contracts) {
        const topic = contractOf(document)?.topic;
        const retention = topic?.retentionMilliseconds ?? Infinity;
        longest = Math.max(longest, retention);
        for (const name of topic === undefined ? [] : [topic.name, topic.deadLetterName])
          topics.set(name, Math.max(topics.get(name) ?? 0, retention));
      }
      return finite(longest);
    },
    ofTopic: (topic) => finite(topics.get(topic) ?? Infinity),
  };
}

function finite(number: number): number | undefined {
  return Number.isFinite(number) ? number : undefined;
}

function compiledContract(document: string): CompiledContract | undefined {
  try {
    return parseContract(document, 'contract in a manifest');
  } catch (error) {
    if (asWardlineError(error).code !== 'CONTRACT_INVALID') throw error;
    // Of another version's contracts nothing is known: then nothing is removed because of them.
    return undefined;
  }
}
