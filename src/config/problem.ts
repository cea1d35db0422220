/**
 * One thing that is wrong with a configuration. Problems are values, never thrown one by one, so that one answer lists all.
 */
export interface Problem {
  /**
   * Where. With a line it is a path in the document, such as `routes[2].backends[0].url`; for a resource that came from
   * no document it is a path in the resource's spec. Empty for the document or the resource as a whole.
   */
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

export function checked<T>(value: T): Checked<T> {
  return { ok: true, value };
}

export function refused(problems: readonly Problem[]): Checked<never> {
  return { ok: false, problems };
}

/** One line for people: `line 12: routes[0].path: must start with "/"`, or `route:api: path: …` without a document. */
export function describeProblem({ line, path, message, kind, id }: Problem): string {
  const owner = line === undefined && kind !== undefined ? [`${kind}:${id}`] : [];
  const place = path === "" || message.startsWith(path) ? [] : [path];
  return [...(line === undefined ? [] : [`line ${line}`]), ...owner, ...place, message].join(": ");
}
