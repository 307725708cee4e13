import { isMap, isPair, isScalar, isSeq, type LineCounter, type Document, type Node } from 'yaml';
import { WardlineError } from '../../../core/errors/errors.ts';

/** Where a value stands in a document: keys of maps and indexes of lists, from the top. */
export type Path = readonly (string | number)[];

/** One mistake in a contract, and where it is. Lines and columns count from 1. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Such as `schema[0].properties[3].classification`. */
  readonly path: string;
  readonly message: string;
}

/** Collects what is wrong with one document, so that a reader learns of everything at once. */
export class Problems {
  readonly file: string;
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;
  readonly #found: Problem[] = [];

  constructor(file: string, document: Document.Parsed, lines: LineCounter) {
    this.file = file;
    this.#document = document;
    this.#lines = lines;
  }

  /** Notes a problem at a path. What is missing is reported at the nearest place that exists. */
  add(path: Path, message: string): void {
    this.addAt(offsetOf(this.#document, path), path, message);
  }

  addAt(offset: number, path: Path, message: string): void {
    const { line, col } = this.#lines.linePos(offset);
    const problem = {
      file: this.file,
      line: Math.max(line, 1),
      column: Math.max(col, 1),
      path: pathText(path),
      message,
    };
    const known = this.#found.some((other) => other.path === problem.path && other.message === message);
    if (!known) this.#found.push(problem);
  }

  any(): boolean {
    return this.#found.length > 0;
  }

  /** In the order of the file. */
  list(): readonly Problem[] {
    return this.#found.toSorted((a, b) => a.line - b.line || a.column - b.column);
  }
}

/** The error that a contract with problems is refused with: one line for each of them. */
export function contractInvalid(file: string, problems: readonly Problem[]): WardlineError {
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  const lines = problems.map((problem) => `  ${problemText(problem)}`);
  return new WardlineError('CONTRACT_INVALID', [`${file} is not a valid contract: ${count}`, ...lines].join('\n'), {
    hint: 'correct the file, then check it with: wardline contract validate',
    cause: problems,
  });
}

/** `file:line:column path: message`, as editors and terminals make links of it. */
function problemText(problem: Problem): string {
  return `${problem.file}:${problem.line}:${problem.column} ${problem.path}: ${problem.message}`;
}

export function pathText(path: Path): string {
  if (path.length === 0) return '(top)';
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
}

function offsetOf(document: Document.Parsed, path: Path): number {
  let node: unknown = document.contents;
  let offset = startOf(document.contents) ?? 0;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === part);
      if (pair === undefined) break;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof part === 'number') {
      const item = node.items[part];
      if (item === undefined) break;
      offset = startOf(item) ?? offset;
      node = item;
    } else break;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return typeof node === 'object' && node !== null && 'range' in node ? (node as Node).range?.[0] : undefined;
}
