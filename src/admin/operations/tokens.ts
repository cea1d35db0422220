import { randomBytes } from "node:crypto";
import { z } from "zod";
import { ADMIN_ROLES } from "../../config/node-settings.ts";
import type { Token, TokenStore } from "../../config/token-store.ts";
import type { Clock } from "../../core/clock.ts";
import { DURATION_PATTERN, parseDuration } from "../../core/duration.ts";
import { RunwayError } from "../../core/failure.ts";
import { createSecret, hashSecret } from "../access/token-secret.ts";
import { NewTokenAnswer, TokenAnswer, TokensAnswer, WhoAnswer } from "../answers/access.ts";
import { EVERY_ROLE, type Operation, operation } from "../operation.ts";
import { parseJsonBody } from "../parse-body.ts";
import { timestamp } from "../write-json.ts";

const MAX_LIFETIME_MS = 10 * 366 * 86_400_000;

/** Longer than a timer can wait, which other durations cannot be. */
const lifetime = z
  .string()
  .regex(DURATION_PATTERN, "must be a duration such as 480h")
  .transform((text) => parseDuration(text)!)
  .refine((ms) => ms > 0 && ms <= MAX_LIFETIME_MS, "must be more than nothing and at most ten years");

const NewToken = z.strictObject({
  name: z.string().min(1).max(128).describe("Who it is for; stands in the history beside what is done with it."),
  role: z.enum(ADMIN_ROLES).describe("What its bearer may do: look, also change the configuration, also make tokens."),
  expires_in: lifetime.optional().describe("How long it is valid, such as 480h; left out, until it is revoked."),
});

/** Who asks, as the node sees it. */
export const identityOperations: Operation[] = [
  operation({
    method: "GET",
    path: "/api/v1/whoami",
    roles: EVERY_ROLE,
    summary: "The name and the role of the caller.",
    answer: WhoAnswer,
    handle: ({ caller }) => ({ json: { name: caller.name, role: caller.role } }),
  }),
];

/** The tokens of a control plane. Secrets are shown once, to whoever makes them. */
export function tokenOperations(tokens: TokenStore, clock: Clock): Operation[] {
  return [
    operation({
      method: "GET",
      path: "/api/v1/tokens",
      roles: ["control_plane"],
      access: "administrator",
      summary: "Every token, newest first, without secrets. Those that came to their end stay listed for a month.",
      answer: TokensAnswer,
      handle: async () => ({ json: { data: (await tokens.list()).map((token) => tokenJson(token, clock.now())) } }),
    }),
    operation({
      method: "POST",
      path: "/api/v1/tokens",
      roles: ["control_plane"],
      access: "administrator",
      isRecorded: true,
      summary: "Makes a token. The answer holds its secret, which is shown this once and kept nowhere.",
      body: { schema: NewToken, example: { name: "deploy", role: "operator", expires_in: "720h" } },
      answer: NewTokenAnswer,
      statuses: [201],
      handle: async ({ body, author }) => {
        const { name, role, expires_in: lifetimeMs } = parseJsonBody(NewToken, body);
        const secret = createSecret();
        const createdAt = clock.now();
        const token: Token = {
          id: randomBytes(8).toString("hex"),
          name,
          role,
          secretHash: hashSecret(secret)!,
          createdAt,
          createdBy: author,
          ...(lifetimeMs === undefined ? {} : { expiresAt: createdAt + lifetimeMs }),
        };
        await tokens.add(token);
        return { status: 201, json: { ...tokenJson(token, createdAt), token: secret } };
      },
    }),
    operation({
      method: "DELETE",
      path: "/api/v1/tokens/{id}",
      roles: ["control_plane"],
      access: "administrator",
      isRecorded: true,
      summary: "Revokes a token; from then on it is refused.",
      answer: TokenAnswer,
      handle: async ({ parameters: { id = "" }, author }) => {
        const token = await tokens.revoke(id, author);
        if (token === undefined) throw new RunwayError("notFound", `There is no token ${JSON.stringify(id)}.`);
        return { json: tokenJson(token, clock.now()) };
      },
    }),
  ];
}

function tokenJson({ id, name, role, createdAt, createdBy, expiresAt, revokedAt }: Token, nowMs: number) {
  const hasExpired = expiresAt !== undefined && expiresAt <= nowMs;
  return {
    id,
    name,
    role,
    status: revokedAt !== undefined ? "revoked" : hasExpired ? "expired" : "valid",
    created_at: timestamp(createdAt),
    created_by: createdBy,
    expires_at: timestamp(expiresAt),
    revoked_at: timestamp(revokedAt),
  };
}
