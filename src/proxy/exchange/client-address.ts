import { isIP } from "node:net";
import type { TrustedProxies } from "./trusted-proxies.ts";

/**
 * Who sent the request: the peer, or, when the peer is a proxy that is believed, the last address of X-Forwarded-For that is no such
 * proxy itself. What stands further left was written by somebody whom nobody vouches for.
 */
export function clientAddress(peer: string, forwardedFor: string | undefined, trusted: TrustedProxies): string {
  if (forwardedFor === undefined || !trusted.includes(peer)) return peer;
  let client = peer;
  for (const hop of forwardedFor.split(",").reverse()) {
    const address = hop.trim();
    if (isIP(address) === 0) return client;
    client = address;
    if (!trusted.includes(address)) return client;
  }
  return client;
}
