import type { z } from "zod";
import type { JsonObject } from "../config/json.ts";
import type { Role } from "../config/node-settings.ts";
import type { Access, Caller } from "./access/caller.ts";

export const EVERY_ROLE: readonly Role[] = ["standalone", "control_plane", "data_plane"];

type MediaType = `${string}/${string}`;

export interface AdminRequest<Query> {
  /** The `{name}` parts of the path. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body as text; empty when there was none. */
  readonly body: string;
  readonly caller: Caller;
  /** The caller and where it called from, for the history. */
  readonly author: string;
}

/** `body` is a value to be written as JSON, or a text of the given type. */
export type AdminAnswer = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
} & ({ readonly json: unknown } | { readonly text: string; readonly contentType: string });

/**
 * One endpoint of the admin API, described well enough that the server, the 405s and the OpenAPI document are derived from it.
 * `handle` throws a RunwayError or an AdminProblem for every answer that is not a success.
 */
export interface Operation {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `/cluster/nodes/{id}` */
  readonly path: string;
  /** In other roles the path does not exist. */
  readonly roles: readonly Role[];
  /** Who may use it. */
  readonly access: Access;
  /** Whether the store writes it down itself, as it does with commits; other writes are recorded by the server. */
  readonly isRecorded?: boolean;
  /** What it is for, one sentence. */
  readonly summary: string;
  /** The query parameters; others are refused. */
  readonly query?: z.ZodObject;
  /** Whether a body is read, and what it has to be: a document, or JSON of this shape. */
  readonly body?: "yaml" | { readonly schema: z.ZodType; readonly example?: JsonObject | undefined };
  /** Whether it heeds If-Match. */
  readonly isConditional?: boolean;
  /** What a success answers: JSON of this shape, or text of this type. Failures are problem documents. */
  readonly answer: z.ZodType | MediaType;
  /** Of answers that are no problems; 200 when left out. */
  readonly statuses?: readonly number[];
  handle(request: AdminRequest<unknown>): AdminAnswer | Promise<AdminAnswer>;
}

/**
 * Writes an operation down; its handler sees the query as the schema types it. Unless told otherwise, viewers may look and
 * operators may do the rest.
 */
export function operation<Query extends z.ZodObject>(
  definition: Omit<Operation, "handle" | "query" | "access"> & {
    readonly access?: Access;
    readonly query?: Query;
    handle(request: AdminRequest<z.output<Query>>): AdminAnswer | Promise<AdminAnswer>;
  },
): Operation {
  // The server parses the query with the operation's own schema before it calls the handler.
  return { access: definition.method === "GET" ? "viewer" : "operator", ...definition } as Operation;
}
