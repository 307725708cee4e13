import { asWardlineError } from '../../core/errors/errors.ts';
import { parseContract } from '../../governance/contract/index.ts';
import type { Manifest } from '../manifest/manifest.ts';

/**
 * How long after its snapshot any row of a contract's table in a backup may still be kept, in milliseconds: the longest
 * retention of the contracts in it. Undefined where one has none, or is none that this version can tell the retention of.
 */
export function lifetimes(): (contracts: Manifest['contracts']) => number | undefined {
  const known = new Map<string, number | undefined>();
  const retentionOf = (document: string): number | undefined => {
    if (!known.has(document)) known.set(document, compiledRetention(document));
    return known.get(document);
  };
  return (contracts) => {
    const retentions = contracts.map(({ document }) => retentionOf(document));
    if (retentions.length === 0 || retentions.includes(undefined)) return undefined;
    return Math.max(...retentions.map((retention) => retention ?? Infinity));
  };
}

function compiledRetention(document: string): number | undefined {
  try {
    return parseContract(document, 'contract in a manifest').topic.retentionMilliseconds;
  } catch (error) {
    if (asWardlineError(error).code !== 'CONTRACT_INVALID') throw error;
    // Of another version's contracts nothing is known: then nothing is removed because of them.
    return undefined;
  }
}
