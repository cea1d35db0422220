import { z } from "zod";
import { FAILURES } from "../../core/failure.ts";

export const Problem = z
  .strictObject({
    path: z.string().describe("Where in what was sent; empty for the whole."),
    message: z.string().describe("What is wrong and what to do."),
    line: z.int().optional().describe("In a document, from 1."),
    kind: z.string().optional().describe("The kind of the resource that it is about."),
    id: z.string().optional().describe("Its id."),
  })
  .describe("One thing that is wrong. All are listed at once.");

const codes = Object.values(FAILURES).map(({ code }) => code);

export const ProblemAnswer = z
  .strictObject({
    type: z.string().describe("urn:runway:failure: and the code."),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    code: z.enum(codes).describe("Never changes its meaning."),
    problems: z.array(Problem).optional(),
  })
  .describe("A failure (RFC 9457).");
