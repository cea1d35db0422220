/**
 * One thing that is wrong with a configuration. Problems are values, never thrown one by one, so that one answer lists all.
 */
export interface Problem {
  /** Where, as in the document: `routes[2].backends[0].url`. Empty for the document as a whole. */
  readonly path: string;
  /** What is wrong and what to do, one or two sentences. */
  readonly message: string;
  /** The line in the file, from 1, where the document came from a file or a request body. */
  readonly line?: number;
  /** The resource it belongs to, where it is known. */
  readonly kind?: string;
  readonly id?: string;
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** One line for people: `line 12: routes[0].path: must start with "/"`. */
export function describeProblem({ line, path, message }: Problem): string {
  return `${line === undefined ? "" : `line ${line}: `}${path === "" ? "" : `${path}: `}${message}`;
}
