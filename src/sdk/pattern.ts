import { z } from "zod";
import { Pattern } from "../core/pattern.ts";

/** A regular expression of RE2, which is looked for anywhere in a text. */
export const pattern = z.string().superRefine((text, context) => {
  const compiled = Pattern.compile(text);
  if (typeof compiled === "string") context.addIssue({ code: "custom", message: compiled });
});
