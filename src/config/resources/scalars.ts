import { isIP } from "node:net";
import { z } from "zod";

export { duration } from "../../sdk/duration.ts";

import { isSecretReference } from "../secret-reference.ts";

/** Stable name of a resource. */
export const identifier = z
  .string()
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/,
    "must be 1 to 128 letters, digits, '.', '_' or '-', beginning and ending with a letter or digit",
  );

/** A method or the name of a field (RFC 9110 §5.6.2). */
export const httpToken = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "must be an HTTP token");

/** A file of the node that runs the configuration. Empty counts as not given. */
export const filePath = z.string().max(4_096).default("");

/** `api.example.com`, or `*.example.com` for hosts below it. */
export const hostPattern = z
  .string()
  .regex(
    /^(?:\*\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/,
    "must be a host name such as api.example.com or *.example.com, without a port",
  );

/** `:8080` (every interface), `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`. Port 0 lets the system choose. */
export const listenAddress = z
  .string()
  .refine((text) => parseAddress(text) !== undefined, "must be host:port or :port, such as 127.0.0.1:8080 or :8080");

export interface Address {
  /** Undefined means every interface. */
  readonly host: string | undefined;
  readonly port: number;
}

/** Takes `host:port`, `:port` and `[ipv6]:port` apart; undefined when the text is none of them. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s]*)):(\d{1,5})$/.exec(text);
  if (match === null || Number(match[3]) > 65_535) return undefined;
  const [, ipv6, host] = match;
  if (ipv6 !== undefined && isIP(ipv6) !== 6) return undefined;
  return { host: ipv6 ?? (host === "" ? undefined : host), port: Number(match[3]) };
}

/** A network, in the notation of RFC 4632 §3.1. */
export const network = z.union([z.cidrv4(), z.cidrv6()], "must be a network such as 10.0.0.0/8 or fd00::/8");

/** A value that may also be a secret reference such as `${env:NAME}`, which is resolved on the node that uses it. */
export function orSecretReference<T extends z.ZodType>(schema: T) {
  return z.union([z.string().refine(isSecretReference), schema]);
}

/** By which resources are grouped and found; they mean nothing to the gateway. */
export const tags = z
  .array(z.string().regex(/^[^,/\s]{1,128}$/, "must be 1 to 128 characters without comma, slash and space"))
  .max(64)
  .optional()
  .describe("Words by which resources are grouped and found; they mean nothing to the gateway.");
