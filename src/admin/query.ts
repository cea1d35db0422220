import type { z } from "zod";
import { AdminProblem } from "./problem-document.ts";

/** @throws AdminProblem naming every parameter that is unknown or wrong. */
export function parseQuery<Query extends z.ZodObject>(schema: Query, query: unknown): z.output<Query> {
  const result = schema.safeParse(query);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => ({ path: path.join("."), message }));
  const known = Object.keys(schema.shape).join(", ");
  throw new AdminProblem("adminBadRequest", `The query is not valid. Known parameters: ${known}.`, problems);
}
