import { ADMIN_ROLES, type AdminRole } from "../../config/node-settings.ts";

/** Who may use an operation: everybody, or who has at least this role. */
export type Access = "everybody" | AdminRole;

/** Who asks, as far as it is known. */
export interface Caller {
  /** For the audit log: the name of a token or of a certificate. */
  readonly name: string;
  /** Undefined for a stranger, who may use what is for everybody. */
  readonly role: AdminRole | undefined;
}

export const STRANGER: Caller = { name: "stranger", role: undefined };

export function mayUse({ role }: Caller, access: Access): boolean {
  if (access === "everybody") return true;
  return role !== undefined && ADMIN_ROLES.indexOf(role) >= ADMIN_ROLES.indexOf(access);
}
