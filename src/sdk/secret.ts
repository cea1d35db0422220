import type { z } from "zod";

/** Stands where a secret is, wherever a configuration is shown to somebody who may not see it. It cannot be written. */
export const REDACTED = "(redacted)";

/** `by name`: when the name of what it is a value of, such as a header, says so. */
export type Secrecy = "always" | "by name";

const SECRECY = "secret";
const NAMES = /auth|cookie|session|token|secret|passw|passphrase|credential|signature|apikey|(?:^|[^a-z])key/i;

/**
 * Marks a setting that holds a secret, also as a hash. Who is no administrator never sees its value: not in a configuration, a difference,
 * a message or an answer. References such as `${env:NAME}` are no secrets.
 */
export function secret<Schema extends z.ZodType>(schema: Schema): Schema {
  return marked(schema, "always");
}

/** Marks the value of something with a name of its own, in a mapping or beside it as `name`: a secret for names such as `Authorization`. */
export function secretByName<Schema extends z.ZodType>(schema: Schema): Schema {
  return marked(schema, "by name");
}

/** What a setting was marked as. */
export function secrecyOf(schema: z.ZodType): Secrecy | undefined {
  return schema.meta()?.[SECRECY] as Secrecy | undefined;
}

/** Whether something of this name usually holds a secret. */
export function namesSecret(name: string): boolean {
  return NAMES.test(name);
}

function marked<Schema extends z.ZodType>(schema: Schema, secrecy: Secrecy): Schema {
  const error = `was redacted when it was shown; write the secret itself, or better a reference such as \${env:NAME}`;
  // Also where the marker is no text that the setting could have.
  const when = () => true;
  return schema.refine((value) => value !== REDACTED, { error, when }).meta({ [SECRECY]: secrecy }) as Schema;
}
