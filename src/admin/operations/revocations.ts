import { z } from "zod";
import {
  normalizeFingerprint,
  normalizeSerial,
  REVOKED_KINDS,
  type Revocation,
  type RevocationList,
  type RevokedKind,
} from "../../config/revocation-list.ts";
import type { Clock } from "../../core/clock.ts";
import { RunwayError } from "../../core/failure.ts";
import { ReinstatedAnswer, RevocationsAnswer } from "../answers/access.ts";
import type { FleetView } from "../fleet-view.ts";
import { type Operation, operation } from "../operation.ts";
import { parseJsonBody } from "../parse-body.ts";
import { timestamp } from "../write-json.ts";

const hexadecimal = (normalize: (text: string) => string | undefined, message: string) =>
  z
    .string()
    .refine((text) => normalize(text) !== undefined, message)
    .transform((text) => normalize(text)!);

const NewRevocation = z
  .strictObject({
    serial_number: hexadecimal(normalizeSerial, "must be 1 to 40 hexadecimal digits")
      .optional()
      .describe("Of the certificate, in hexadecimal digits; colons may stand between."),
    fingerprint: hexadecimal(normalizeFingerprint, "must be 64 hexadecimal digits")
      .optional()
      .describe("The SHA-256 of the certificate, in hexadecimal digits; colons may stand between."),
    node_id: z.string().min(1).max(128).optional().describe("A node: whatever certificate speaks for it now."),
    reason: z.string().max(256).default("").describe("Told to whoever is refused, and kept in the audit log."),
  })
  .refine(
    ({ serial_number, fingerprint, node_id }) =>
      [serial_number, fingerprint, node_id].filter((given) => given !== undefined).length === 1,
    "must name one of serial_number, fingerprint and node_id",
  );

const ROLES = ["control_plane"] as const;

/** What the control planes of a store refuse although an authority signed it. */
export function revocationOperations(
  revocations: Omit<RevocationList, "mark">,
  fleet: FleetView,
  clock: Clock,
): Operation[] {
  return [
    operation({
      method: "GET",
      path: "/api/v1/revocations",
      roles: ROLES,
      summary: "Certificates and nodes that were revoked, newest first.",
      answer: RevocationsAnswer,
      handle: async () => ({ json: { data: (await revocations.list()).map(revocationJson) } }),
    }),
    operation({
      method: "POST",
      path: "/api/v1/revocations",
      roles: ROLES,
      access: "administrator",
      isRecorded: true,
      summary:
        "Revokes a certificate or a node on every control plane of the store: its streams end at once, and it is refused from then on.",
      body: { schema: NewRevocation, example: { node_id: "edge-7", reason: "stolen" } },
      answer: RevocationsAnswer,
      statuses: [201],
      handle: async ({ body, author }) => {
        const { reason, ...named } = parseJsonBody(NewRevocation, body);
        const common = { reason, revokedAt: clock.now(), revokedBy: author };
        const revoked = subjectsOf(named, fleet).map((subject) => ({ ...subject, ...common }));
        await revocations.add(revoked);
        return { status: 201, json: { data: revoked.map(revocationJson) } };
      },
    }),
    operation({
      method: "DELETE",
      path: "/api/v1/revocations/{kind}/{value}",
      roles: ROLES,
      access: "administrator",
      isRecorded: true,
      summary: "Accepts again what was revoked by mistake.",
      answer: ReinstatedAnswer,
      handle: async ({ parameters: { kind = "", value = "" }, author }) => {
        const known = REVOKED_KINDS.find((other) => other === kind);
        if (known === undefined || !(await revocations.lift(known, value, author)))
          throw new RunwayError("notFound", `No ${kind} ${JSON.stringify(value)} is revoked.`);
        return { json: { status: "reinstated", kind, value } };
      },
    }),
  ];
}

interface Named {
  readonly serial_number?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly node_id?: string | undefined;
}

/** A node's certificate may speak for other ids too, so it is revoked with the node. */
function subjectsOf({ serial_number, fingerprint, node_id }: Named, fleet: FleetView): Subject[] {
  const known = fleet.nodes().find(({ nodeId, status, certificate }) => {
    if (status === "rejected" || certificate === undefined) return false;
    return nodeId === node_id || certificate.fingerprint === fingerprint || certificate.serialNumber === serial_number;
  })?.certificate;
  const ends = known?.notAfterMs === undefined ? {} : { expiresAt: known.notAfterMs };
  if (serial_number !== undefined) return [{ kind: "serial", value: serial_number, ...ends }];
  if (fingerprint !== undefined) return [{ kind: "fingerprint", value: fingerprint, ...ends }];
  const node: Subject = { kind: "node", value: node_id! };
  if (known?.fingerprint === undefined) return [node];
  return [node, { kind: "fingerprint", value: known.fingerprint, ...ends }];
}

interface Subject extends Pick<Revocation, "value" | "expiresAt"> {
  readonly kind: RevokedKind;
}

function revocationJson({ kind, value, reason, revokedAt, revokedBy, expiresAt }: Revocation) {
  return {
    kind,
    value,
    reason,
    revoked_at: timestamp(revokedAt),
    revoked_by: revokedBy,
    certificate_not_after: timestamp(expiresAt),
  };
}
