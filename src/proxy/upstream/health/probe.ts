import { type ClientRequest, request as requestInClear } from "node:http";
import { type RequestOptions, request as requestSecurely } from "node:https";
import { connect, isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";
import type { HealthCheckSettings } from "../../../config/resources/health-check.ts";
import { statusTable } from "../../../config/resources/status-codes.ts";
import type { CompiledUpstreamTls } from "../../tls/compiled-upstream-tls.ts";

/** Asks a target once how it is. Resolves when it is well, and otherwise rejects with the reason. */
export type Probe = (signal: AbortSignal) => Promise<void>;

/** @param tls how https targets are spoken to now */
export function probeOf(url: string, settings: HealthCheckSettings, tls: () => CompiledUpstreamTls): Probe {
  const target = new URL(url);
  return settings.type === "tcp" ? tcpProbe(target) : httpProbe(target, settings, tls);
}

function tcpProbe(target: URL): Probe {
  const peer = { host: hostOf(target), port: portOf(target) };
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
  { path, method, expected_status }: HealthCheckSettings,
  tls: () => CompiledUpstreamTls,
): Probe {
  const expected = statusTable(expected_status);
  const options = {
    ...{ host: hostOf(target), port: portOf(target), method, agent: false as const },
    path: target.pathname.replace(/\/+$/, "") + path,
    headers: { host: target.host, "user-agent": "runway-health-check", connection: "close" },
  };
  return (signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const request = target.protocol === "https:" ? secure(options, tls()) : requestInClear(options);
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

function secure(options: { readonly host: string }, { context, verify }: CompiledUpstreamTls): ClientRequest {
  const name = isIP(options.host) === 0 ? { servername: options.host } : {};
  const secured: RequestOptions & ConnectionOptions = {
    ...options,
    ...name,
    secureContext: context,
    rejectUnauthorized: verify,
  };
  return requestSecurely(secured);
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}

function portOf({ port, protocol }: URL): number {
  if (port !== "") return Number(port);
  return protocol === "https:" ? 443 : 80;
}
