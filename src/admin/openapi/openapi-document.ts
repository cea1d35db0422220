import type { z } from "zod";
import type { Role } from "../../config/node-settings.ts";
import { Problem, ProblemAnswer } from "../answers/problem.ts";
import type { Collection } from "../collection.ts";
import type { Operation } from "../operation.ts";
import { SchemaBook } from "./schema-book.ts";

/** What the document is made from; all of it is what the server itself goes by. */
export interface DescribedServer {
  readonly role: Role;
  readonly operations: readonly Operation[];
  readonly collections: readonly Collection[];
}

export type OpenApiDocument = ReturnType<typeof openApiDocument>;

/** The admin API of a node in its role, as an OpenAPI document (https://spec.openapis.org/oas/v3.1.1). */
export function openApiDocument({ role, operations, collections }: DescribedServer) {
  const kinds = collections.map(
    ({ name, kind, isNamedByPeople, resource }) => [capital(isNamedByPeople ? kind : name), resource] as const,
  );
  const book = new SchemaBook({ Problem, Failure: ProblemAnswer, ...Object.fromEntries(kinds) });
  const paths = Map.groupBy(operations, ({ path }) => path);
  const described = [...paths].map(([path, all]) => [path, pathItem(all, book)] as const);
  return {
    openapi: "3.1.1",
    info: {
      title: "Runway admin API",
      version: "1",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      description: `What a node in the role ${role} can be asked. Made from the operations and the configuration language of the node itself, plugins included. Secrets are shown to administrators only; others see the text (redacted), which cannot be written back.`,
    },
    servers: [{ url: "/", description: "This node." }],
    security: [{ token: [] }, { certificate: [] }, {}],
    tags: [...new Set(operations.map(topicOf))].map((name) => ({ name })),
    paths: Object.fromEntries(described),
    components: {
      schemas: book.components,
      responses: {
        Failure: failure("What went wrong, with a stable code and, where several things are wrong, all of them."),
        Stranger: failure("Nobody said who asks, or the token is not valid."),
        Forbidden: failure("The caller's role may not do this."),
      },
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "`runway token create` makes one." },
        certificate: { type: "mutualTLS", description: "A client certificate whose name has a role in admin.tls." },
      },
    },
  };
}

function pathItem(operations: readonly Operation[], book: SchemaBook) {
  return Object.fromEntries(
    operations.map((operation) => [operation.method.toLowerCase(), describeOperation(operation, book)]),
  );
}

export type DescribedOperation = ReturnType<typeof describeOperation>;

function describeOperation(operation: Operation, book: SchemaBook) {
  const { method, path, access, summary, body } = operation;
  const parameters = [...pathParameters(path), ...queryParameters(operation, book), ...headerParameters(operation)];
  return {
    operationId:
      method.toLowerCase() +
      path
        .split(/[/{}._-]+/)
        .map(capital)
        .join(""),
    tags: [topicOf(operation)],
    summary,
    description: access === "everybody" ? "For everybody." : `For callers with the role ${access} or a higher one.`,
    "x-access": access,
    ...(access === "everybody" ? { security: [{}] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: requestBody(body, book) }),
    responses: responses(operation, book),
  };
}

function requestBody(body: NonNullable<Operation["body"]>, book: SchemaBook) {
  if (body === "yaml")
    return { required: true, content: { "application/yaml": { schema: { type: "string" }, example: DOCUMENT } } };
  const { schema, example } = body;
  const json = { schema: book.of(schema), ...(example === undefined ? {} : { example }) };
  return { required: true, content: { "application/json": json } };
}

const DOCUMENT = `listeners: [{ id: http, address: ":8080" }]
routes: [{ id: orders, path: /orders, path_prefix: true, backends: [{ url: "http://orders:8080" }] }]
`;

function responses({ answer, statuses = [200], access }: Operation, book: SchemaBook) {
  const content =
    typeof answer === "string"
      ? { [answer]: { schema: { type: "string" } } }
      : { "application/json": { schema: book.of(answer) } };
  const successes = statuses.map((status) => [String(status), { description: MEANING[status] ?? "Done.", content }]);
  return {
    ...Object.fromEntries(successes),
    ...(access === "everybody" ? {} : { 401: referenceTo("Stranger") }),
    ...(access === "everybody" || statuses.includes(403) ? {} : { 403: referenceTo("Forbidden") }),
    default: referenceTo("Failure"),
  };
}

const MEANING: Readonly<Record<number, string>> = {
  200: "As asked.",
  201: "It is there now, and was not before.",
  202: "It is committed, and not applied by every connected node yet.",
  403: "Not in this role.",
  503: "No: see the reasons.",
};

function failure(description: string) {
  const schema = { $ref: "#/components/schemas/Failure" };
  return { description, content: { "application/problem+json": { schema } } };
}

function referenceTo(response: string) {
  return { $ref: `#/components/responses/${response}` };
}

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly schema: object;
  readonly description?: string;
}

function pathParameters(path: string): Parameter[] {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  return names.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } }));
}

function queryParameters({ query }: Operation, book: SchemaBook): Parameter[] {
  return Object.entries<z.ZodType>(query?.shape ?? {}).map(([name, schema]) => {
    const { description, ...json } = book.of(schema);
    const required = !schema.safeParse(undefined).success;
    return {
      name,
      in: "query",
      required,
      schema: json,
      ...(description === undefined ? {} : { description: String(description) }),
    };
  });
}

function headerParameters({ isConditional = false }: Operation): Parameter[] {
  if (!isConditional) return [];
  const description =
    "The ETag that the change depends on; when it is another by now, nothing changes and the answer is 412.";
  return [{ name: "If-Match", in: "header", required: false, schema: { type: "string" }, description }];
}

/** What it is about: something of the cluster, or the node itself. */
function topicOf({ path }: Pick<Operation, "path">): string {
  const [first, , third = ""] = path.slice(1).split("/");
  if (first === "api") return third;
  return first === "cluster" ? first : "node";
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
