import { ShownCertificatesAnswer } from "../answers/gateway.ts";
import type { GatewayView, HealthCheck, ShownCertificate } from "../gateway-view.ts";
import { EVERY_ROLE, type Operation, operation } from "../operation.ts";
import { timestamp } from "../write-json.ts";

const DAY_MS = 86_400_000;
/** A certificate that ends sooner should have been renewed by now. */
const WARNING_DAYS = 7;

/** What the listeners show their clients, and until when. */
export function certificateOperations(gateway: GatewayView, now: () => number): Operation[] {
  const handle = () => ({ json: gateway.certificates().map((certificate) => certificateJson(certificate, now())) });
  const summary = "The certificates of listeners, the default of each first.";
  return [
    operation({
      method: "GET",
      path: "/certificates",
      roles: EVERY_ROLE,
      summary,
      answer: ShownCertificatesAnswer,
      handle,
    }),
  ];
}

/** None where no listener speaks TLS. Expired certificates degrade: clients that look are refused, the others are served. */
export function certificateCheck(certificates: readonly ShownCertificate[], nowMs: number): readonly HealthCheck[] {
  if (certificates.length === 0) return [];
  const ending = certificates.filter(({ notAfterMs }) => notAfterMs - nowMs < WARNING_DAYS * DAY_MS);
  if (ending.length === 0) return [{ name: "tls_certificates", status: "ok" }];
  const detail = ending.map(({ listenerId, certFile, notAfterMs }) => {
    const verb = notAfterMs < nowMs ? "ended" : "ends";
    return `${certFile} of the listener ${listenerId} ${verb} ${timestamp(notAfterMs)}`;
  });
  return [{ name: "tls_certificates", status: "degraded", detail: detail.join("; ") }];
}

function certificateJson(
  { listenerId, certFile, keyFile, hosts, notAfterMs, serial }: ShownCertificate,
  nowMs: number,
) {
  return {
    listener_id: listenerId,
    mode: "manual",
    manual: {
      cert_file: certFile,
      key_file: keyFile,
      hosts,
      not_after: timestamp(notAfterMs),
      days_left: Math.floor((notAfterMs - nowMs) / DAY_MS),
      serial,
    },
  };
}
