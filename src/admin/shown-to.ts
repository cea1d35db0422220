import type { Redaction } from "../config/redaction.ts";
import type { Resource } from "../config/resource.ts";
import { type Caller, mayUse } from "./access/caller.ts";

/** A resource as somebody is shown it. */
export type Show = (resource: Resource) => Resource;

/** Administrators see everything. Operators write secrets and do not read them: see docs/decisions/0027-who-sees-secrets.md. */
export function shownTo(caller: Caller, redaction: Redaction): Show {
  return mayUse(caller, "administrator") ? (resource) => resource : (resource) => redaction.resource(resource);
}
