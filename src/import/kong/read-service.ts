import { z } from "zod";
import type { JsonObject } from "../../config/json.ts";
import type { ImportReport } from "../import-report.ts";
import type { KongEntity } from "./kong-entity.ts";

/** What Kong does with a service that says nothing of these. */
export const SERVICE_DEFAULTS = {
  retries: 5,
  connect_timeout: 60_000,
  write_timeout: 60_000,
  enabled: true,
} as const;
/** The same of an upstream. */
export const UPSTREAM_DEFAULTS = {
  slots: 10_000,
  algorithm: "round-robin",
  hash_on: "none",
  hash_fallback: "none",
  hash_on_cookie_path: "/",
  use_srv_name: false,
} as const;

const MAX_PORT = 65_535;
const port = z.int().min(0).max(MAX_PORT);

/** A service as the route and the upstream that it becomes need it. */
export interface Service {
  readonly entity: KongEntity;
  /** The Kong upstream that its host names, if any. */
  readonly upstream: KongEntity | undefined;
  readonly targets: readonly { readonly url: string; readonly weight: number }[];
  readonly readTimeoutMs: number;
  /** Whether something is put before the path of requests. */
  readonly hasPath: boolean;
}

/** Undefined when it is left out, which is then in the report. */
export function readService(
  entity: KongEntity,
  upstreams: readonly KongEntity[],
  targets: readonly KongEntity[],
  report: ImportReport,
): Service | undefined {
  const url = readUrl(entity);
  if (entity.read("enabled", z.boolean(), true) === false) return leaveOut("it is switched off");
  if (!/^https?$/.test(url.protocol)) return leaveOut(`only HTTP is sent on, not ${url.protocol}`);
  if (url.host === "") return leaveOut("it has no host");
  const readTimeoutMs = entity.read("read_timeout", z.int().min(1), 60_000);
  const upstream = upstreams.find(({ fields }) => fields.name === url.host);
  const base = { entity, upstream, readTimeoutMs, hasPath: url.path !== "/" };
  const to = (authority: string) => `${url.protocol}://${authority}${url.path === "/" ? "" : url.path}`;
  if (upstream === undefined) return { ...base, targets: [{ url: to(`${url.host}:${url.port}`), weight: 1 }] };
  const own = targets.filter((target) => target.reference("upstream", upstreams) === upstream);
  if (own.length === 0) return leaveOut(`the upstream ${url.host} has no targets`);
  return { ...base, targets: own.map((target) => ({ url: to(authorityOf(target)), weight: weightOf(target) })) };

  function leaveOut(why: string): undefined {
    report.leftOut(entity.subject, why);
    return undefined;
  }
}

/** `url` is short for the four others. */
function readUrl(entity: KongEntity): { protocol: string; host: string; port: number; path: string } {
  const text = entity.read("url", z.string(), "");
  const url = URL.parse(text);
  if (text !== "" && url === null) entity.refuse("url", "must be a URL such as http://orders:8000/api");
  const protocol = url?.protocol.replace(":", "") ?? "http";
  const standard = protocol === "https" ? 443 : 80;
  return {
    protocol: entity.read("protocol", z.string(), protocol),
    host: entity.read("host", z.string(), url?.hostname ?? ""),
    port: entity.read("port", port, url === null || url.port === "" ? standard : Number(url.port)),
    path: entity.read("path", z.string(), url?.pathname ?? "/"),
  };
}

/** Kong takes port 8000 for a target that names none. */
function authorityOf(target: KongEntity): string {
  const text = target.read("target", z.string(), "");
  return /:\d+$/.test(text) ? text : `${text}:8000`;
}

function weightOf(target: KongEntity): number {
  return target.read("weight", z.int().min(0).max(MAX_PORT), 100);
}

/** The upstream of a service; `rest` is put after the path of each target. */
export function upstreamSpec({ targets }: Service, rest: string): JsonObject {
  const share = targets.map(({ weight }) => weight).reduce(commonDivisor, 0) || 1;
  const backends = targets.map(({ url, weight }) => ({
    url: rest === "" ? url : `${url.replace(/\/$/, "")}${rest}`,
    ...(weight === share ? {} : { weight: weight / share }),
  }));
  return { backends };
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}
