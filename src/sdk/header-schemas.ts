import { z } from "zod";
import { HeaderFields, NO_FIELDS } from "./header-fields.ts";

/** What is wrong with a field that a plugin would set, said as `HeaderFields` says it; undefined when nothing is. */
function complaint(name: string, value: string): string | undefined {
  try {
    new HeaderFields(NO_FIELDS).set(name, value);
    return undefined;
  } catch (error) {
    return (error as TypeError).message;
  }
}

/** The name of a header field that plugins may change; a configuration with another one is refused. */
export const headerName = z.string().superRefine((name, context) => {
  const message = complaint(name, "");
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

/** The value of a header field. */
export const headerValue = z.string().refine((value) => complaint("x", value) === undefined, {
  error: "must be one line of text without spaces at its ends, of characters that a header can hold",
});
