import { z } from "zod";
import { ADMIN_ROLES } from "../../config/node-settings.ts";
import { REVOKED_KINDS } from "../../config/revocation-list.ts";
import { perhapsTime, time } from "./scalars.ts";

const role = z.enum(ADMIN_ROLES);

export const WhoAnswer = z.strictObject({ name: z.string(), role });

const token = {
  id: z.string(),
  name: z.string(),
  role,
  status: z.enum(["valid", "expired", "revoked"]),
  created_at: time,
  created_by: z.string(),
  expires_at: perhapsTime,
  revoked_at: perhapsTime,
};
export const TokenAnswer = z.strictObject(token);
export const TokensAnswer = z.strictObject({ data: z.array(TokenAnswer) });
export const NewTokenAnswer = z.strictObject({
  ...token,
  token: z.string().describe("The secret, which is shown this once."),
});

const joinToken = {
  id: z.string(),
  node_id: z.string().nullable().describe("The only node that may join with it; null for any that is new."),
  status: z.enum(["valid", "expired", "used"]),
  created_at: time,
  created_by: z.string(),
  expires_at: time,
  used_at: perhapsTime,
  used_by: z.string().nullable().describe("The node that joined with it."),
};
export const JoinTokensAnswer = z.strictObject({ data: z.array(z.strictObject(joinToken)) });
export const NewJoinTokenAnswer = z.strictObject({
  ...joinToken,
  token: z.string().describe("What `runway join` is given, which is shown this once."),
});
export const JoinTokenRevokedAnswer = z.strictObject({ status: z.literal("revoked"), id: z.string() });

export const RevocationsAnswer = z.strictObject({
  data: z.array(
    z.strictObject({
      kind: z.enum(REVOKED_KINDS),
      value: z.string(),
      reason: z.string(),
      revoked_at: time,
      revoked_by: z.string(),
      certificate_not_after: perhapsTime,
    }),
  ),
});

export const ReinstatedAnswer = z.strictObject({
  status: z.literal("reinstated"),
  kind: z.enum(REVOKED_KINDS),
  value: z.string(),
});
