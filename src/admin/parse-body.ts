import type { z } from "zod";
import type { Json } from "../config/json.ts";
import { checkShape } from "../config/shape.ts";
import { RunwayError } from "../core/failure.ts";
import { AdminProblem } from "./problem-document.ts";

/** @throws AdminProblem that lists everything that is wrong with the body. */
export function parseJsonBody<Schema extends z.ZodType>(schema: Schema, body: string): z.output<Schema> {
  const shape = checkShape(schema, parseJson(body));
  if (shape.ok) return shape.value;
  throw new AdminProblem("adminBadRequest", "The body is not valid.", shape.problems);
}

/** @throws RunwayError adminBadRequest */
function parseJson(body: string): Json {
  try {
    return JSON.parse(body);
  } catch (cause) {
    // Without the piece of the body that the reader quotes, which may hold a secret.
    const reason = (cause as Error).message.replace(/,? \S*".*" is not valid JSON/s, "");
    throw new RunwayError("adminBadRequest", `The body has to be JSON: ${reason}.`, { cause });
  }
}
