import { randomBytes } from "node:crypto";
import { z } from "zod";
import { createJoinSecret, formatJoinToken, hashJoinSecret } from "../../config/join-token.ts";
import type { JoinToken, JoinTokenStore } from "../../config/join-token-store.ts";
import { identifier } from "../../config/resources/scalars.ts";
import type { Clock } from "../../core/clock.ts";
import { DURATION_PATTERN, parseDuration } from "../../core/duration.ts";
import { RunwayError } from "../../core/failure.ts";
import { JoinTokenRevokedAnswer, JoinTokensAnswer, NewJoinTokenAnswer } from "../answers/access.ts";
import type { JoiningView } from "../joining-view.ts";
import { type Operation, operation } from "../operation.ts";
import { parseJsonBody } from "../parse-body.ts";
import { timestamp } from "../write-json.ts";

const MAX_LIFETIME_MS = 7 * 86_400_000;

const NewJoinToken = z.strictObject({
  node_id: identifier
    .optional()
    .describe("The only node that may join with it, also in the place of one that exists; left out, any new node."),
  expires_in: z
    .string()
    .regex(DURATION_PATTERN, "must be a duration such as 1h")
    .transform((text) => parseDuration(text)!)
    .refine((ms) => ms > 0 && ms <= MAX_LIFETIME_MS, "must be more than nothing and at most 7d")
    .prefault("1h")
    .describe("How long it can be used; at most 7d."),
});

const ROLES = ["control_plane"] as const;

/** Tokens by which nodes get their first certificate; each is used once. */
export function joinTokenOperations(
  tokens: Pick<JoinTokenStore, "add" | "list" | "revoke">,
  joining: JoiningView | undefined,
  clock: Clock,
): Operation[] {
  return [
    operation({
      method: "GET",
      path: "/api/v1/join-tokens",
      roles: ROLES,
      access: "administrator",
      summary: "Join tokens, newest first, without secrets. Those that came to their end stay listed for a month.",
      answer: JoinTokensAnswer,
      handle: async () => ({ json: { data: (await tokens.list()).map((token) => tokenJson(token, clock.now())) } }),
    }),
    operation({
      method: "POST",
      path: "/api/v1/join-tokens",
      roles: ROLES,
      access: "administrator",
      isRecorded: true,
      summary: "Makes a token by which one node joins. The answer holds it, which is shown this once and kept nowhere.",
      body: { schema: NewJoinToken, example: { node_id: "edge-7", expires_in: "1h" } },
      answer: NewJoinTokenAnswer,
      statuses: [201],
      handle: async ({ body, author }) => {
        const { node_id: nodeId, expires_in: lifetimeMs } = parseJsonBody(NewJoinToken, body === "" ? "{}" : body);
        if (joining === undefined) throw new RunwayError("joiningOff");
        const authority = await joining.fingerprint();
        const secret = createJoinSecret();
        const createdAt = clock.now();
        const token: JoinToken = {
          ...{ id: randomBytes(8).toString("hex"), secretHash: hashJoinSecret(secret) },
          ...(nodeId === undefined ? {} : { nodeId }),
          ...{ createdAt, createdBy: author, expiresAt: createdAt + lifetimeMs },
        };
        await tokens.add(token);
        return { status: 201, json: { ...tokenJson(token, createdAt), token: formatJoinToken({ secret, authority }) } };
      },
    }),
    operation({
      method: "DELETE",
      path: "/api/v1/join-tokens/{id}",
      roles: ROLES,
      access: "administrator",
      isRecorded: true,
      summary: "Takes a join token back; whoever joined with it stays.",
      answer: JoinTokenRevokedAnswer,
      handle: async ({ parameters: { id = "" }, author }) => {
        if (await tokens.revoke(id, author)) return { json: { status: "revoked", id } };
        throw new RunwayError("notFound", `There is no join token ${JSON.stringify(id)}.`);
      },
    }),
  ];
}

function tokenJson({ id, nodeId, createdAt, createdBy, expiresAt, use }: JoinToken, nowMs: number) {
  return {
    id,
    node_id: nodeId ?? null,
    status: use !== undefined ? "used" : expiresAt <= nowMs ? "expired" : "valid",
    created_at: timestamp(createdAt),
    created_by: createdBy,
    expires_at: timestamp(expiresAt),
    used_at: timestamp(use?.at),
    used_by: use?.nodeId ?? null,
  };
}
