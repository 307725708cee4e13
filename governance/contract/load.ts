import { createHash } from 'node:crypto';
import { canonicalJson } from '../../core/encoding/canonical-json.ts';
import type { CompiledContract } from './compiled.ts';
import { compileContract } from './compile.ts';
import { contractInvalid, type Problem } from './document/problems.ts';
import { readContractFile, readDocument } from './document/read.ts';

/** A contract's file looked at: what is wrong with it, or the contract. */
export type Inspection =
  | { readonly problems: readonly []; readonly contract: CompiledContract }
  | { readonly problems: readonly Problem[]; readonly contract: undefined };

/**
 * Reads, validates and compiles a contract. Throws CONTRACT_NOT_FOUND where the file cannot be read, and CONTRACT_INVALID,
 * naming every problem with file, line, column and key, where it is no contract that can be enforced.
 */
export function loadContract(path: string): CompiledContract {
  return parseContract(readContractFile(path), path);
}

/** The same for a text; `file` is what errors call it. */
export function parseContract(text: string, file: string): CompiledContract {
  const { contract, problems } = inspectText(text, file);
  if (contract === undefined) throw contractInvalid(file, problems);
  return contract;
}

/** What `contract validate` reports. Throws CONTRACT_NOT_FOUND only. */
export function inspectContract(path: string): Inspection {
  return inspectText(readContractFile(path), path);
}

export function inspectText(text: string, file: string): Inspection {
  try {
    return inspect(text, file);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // Nested beyond the stack, or a lone surrogate: no contract, and nothing that has a line.
    const problem = { file, line: 1, column: 1, path: '(top)', message: `cannot be taken in: ${error.message}` };
    return { problems: [problem], contract: undefined };
  }
}

function inspect(text: string, file: string): Inspection {
  const { problems, json, document, notEnforced } = readDocument(file, text);
  if (document === undefined) return { problems: problems.list(), contract: undefined };
  const hash = createHash('sha256').update(canonicalJson(json)).digest('hex');
  const contract = compileContract(document, { hash, problems, notEnforced });
  return problems.any() || contract === undefined
    ? { problems: problems.list(), contract: undefined }
    : { problems: [], contract };
}
