import { type ClientRequest, request as requestInClear } from "node:http";
import { type RequestOptions, request as requestSecurely } from "node:https";
import { connect, isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";
import type { HealthCheckSettings } from "../../../config/resources/health-check.ts";
import { statusTable } from "../../../config/resources/status-codes.ts";
import type { CompiledUpstreamTls } from "../../tls/compiled-upstream-tls.ts";
import { hostOf } from "../discovery/planned-target.ts";

/** Asks a target once how it is. Resolves when it is well, and otherwise rejects with the reason. */
export type Probe = (signal: AbortSignal) => Promise<void>;

/**
 * @param authority what the target is called, where that is not where it is
 * @param tls how https targets are spoken to now
 */
export function probeOf(
  url: string,
  authority: string | undefined,
  settings: HealthCheckSettings,
  tls: () => CompiledUpstreamTls,
): Probe {
  const target = new URL(url);
  return settings.type === "tcp" ? tcpProbe(target) : httpProbe(target, authority ?? target.host, settings, tls);
}

function tcpProbe(target: URL): Probe {
  const peer = { host: hostOf(target.host), port: portOf(target) };
  return (signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = connect({ ...peer, signal });
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
    socket.on("error", reject);
    return promise;
  };
}

function httpProbe(
  target: URL,
  authority: string,
  { path, method, expected_status }: HealthCheckSettings,
  tls: () => CompiledUpstreamTls,
): Probe {
  const expected = statusTable(expected_status);
  const options = {
    ...{ host: hostOf(target.host), port: portOf(target), method, agent: false as const },
    path: target.pathname.replace(/\/+$/, "") + path,
    headers: { host: authority, "user-agent": "runway-health-check", connection: "close" },
  };
  return (signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const request = target.protocol === "https:" ? secure(options, hostOf(authority), tls()) : requestInClear(options);
    const abort = () => request.destroy(new Error("it did not answer in time"));
    signal.addEventListener("abort", abort, { once: true });
    request.on("response", (response) => {
      response.on("error", () => {}).destroy(); // The head says all.
      if (expected[response.statusCode ?? 0] === 1) resolve();
      else reject(new Error(`it answered ${response.statusCode}`));
    });
    request.on("error", reject);
    request.on("close", () => signal.removeEventListener("abort", abort));
    request.end();
    return promise;
  };
}

function secure(options: object, host: string, { context, verify }: CompiledUpstreamTls): ClientRequest {
  const name = isIP(host) === 0 ? { servername: host } : {};
  const secured: RequestOptions & ConnectionOptions = {
    ...options,
    ...name,
    secureContext: context,
    rejectUnauthorized: verify,
  };
  return requestSecurely(secured);
}

function portOf({ port, protocol }: URL): number {
  if (port !== "") return Number(port);
  return protocol === "https:" ? 443 : 80;
}
