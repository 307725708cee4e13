import { readFileSync, statSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { WardlineError } from '../../../core/errors/errors.ts';
import type { JsonValue } from '../../../core/record.ts';
import { checkKeys } from './keys.ts';
import { Problems, type Path } from './problems.ts';
import { documentShape, type ContractDocument } from './shape.ts';

/** A contract is a page of text; what is larger is some other file. */
const CONTRACT_LIMIT_BYTES = 1024 * 1024;

/** A contract's file as read: its parts, and where in the file they stand. */
export interface ReadDocument {
  readonly problems: Problems;
  /** The whole document as JSON, for the contract's hash. */
  readonly json: JsonValue;
  /** What could be understood; absent where too little could. Values of a wrong shape, noted as problems, are left out. */
  readonly document: ContractDocument | undefined;
  /** Paths of keys that are not enforced; the rules add to it. */
  readonly notEnforced: string[];
}

/** Reads a contract's text. Throws CONTRACT_NOT_FOUND where there is no such file or it is no contract by its size or encoding. */
export function readContractFile(file: string): string {
  try {
    if (statSync(file).size > CONTRACT_LIMIT_BYTES)
      throw notReadable(file, 'it is larger than a contract can be (1 MiB)');
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    if (error instanceof WardlineError) throw error;
    const reason = error instanceof TypeError ? 'it is not valid UTF-8' : error instanceof Error ? error.message : '';
    throw notReadable(file, reason, error);
  }
}

/** Parses and shapes a contract's text. Never throws: what is wrong is in `problems`, all of it that can be seen at once. */
export function readDocument(file: string, text: string): ReadDocument {
  const lines = new LineCounter();
  const parsed = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems = new Problems(file, parsed, lines);
  const notEnforced: string[] = [];
  for (const error of parsed.errors) problems.addAt(error.pos[0], [], `not valid YAML: ${error.message}`);
  if (problems.any()) return { problems, json: null, document: undefined, notEnforced };

  const json = toJson(parsed, problems);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    if (!problems.any()) problems.add([], 'a contract is a map of ODCS keys');
    return { problems, json: null, document: undefined, notEnforced };
  }
  notEnforced.push(...checkKeys(json, problems));
  const shaped = documentShape.safeParse(json);
  if (shaped.success) return { problems, json, document: shaped.data, notEnforced };
  const rest = structuredClone(json);
  for (const issue of shaped.error.issues) {
    const path = issue.path as Path;
    problems.add(path, memberAt(json, path) === undefined ? 'is missing' : issue.message);
    removeAt(rest, path);
  }
  // The rules across keys still run over what is left, so that a reader sees their findings at the same time.
  return { problems, json, document: documentShape.safeParse(rest).data, notEnforced };
}

function toJson(parsed: ReturnType<typeof parseDocument>, problems: Problems): JsonValue {
  try {
    // Through JSON, so that a date or a big number that YAML made cannot differ from what is hashed.
    return JSON.parse(JSON.stringify(parsed.toJS() ?? null)) as JsonValue;
  } catch (error) {
    problems.add([], `not usable as JSON: ${error instanceof Error ? error.message : 'unknown'}`);
    return null;
  }
}

function memberAt(json: unknown, path: Path): unknown {
  let value = json;
  for (const part of path) value = isContainer(value) ? value[part] : undefined;
  return value;
}

function removeAt(json: unknown, path: Path): void {
  const holder = memberAt(json, path.slice(0, -1));
  const last = path.at(-1);
  if (isContainer(holder) && !Array.isArray(holder) && last !== undefined) Reflect.deleteProperty(holder, last);
}

function isContainer(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null;
}

function notReadable(file: string, reason: string, cause?: unknown): WardlineError {
  return new WardlineError('CONTRACT_NOT_FOUND', `${file} cannot be read as a contract: ${reason}`, { cause });
}
