import { parseAddress } from "../resources/scalars.ts";
import { type Check, problemOf } from "./check.ts";

/** No two listeners want the same port of the same interface. Port 0 is a new port each time and never conflicts. */
export const listenerAddresses: Check = function* ({ listeners }) {
  for (const ofOnePort of Map.groupBy(listeners, ({ address }) => parseAddress(address)?.port).values())
    for (const [position, { id, address }] of ofOnePort.entries()) {
      const other = ofOnePort.find((earlier, place) => place < position && addressesConflict(earlier.address, address));
      if (other === undefined) continue;
      const which = other.address === address ? "" : ` with ${other.address}`;
      yield problemOf("listener", id, "address", `${address} is taken${which} by the listener "${other.id}"`);
    }
};

/**
 * Whether one machine cannot serve both addresses. An address without a host and `[::]` stand for every interface,
 * `0.0.0.0` for every IPv4 one; `localhost` is taken as 127.0.0.1.
 */
export function addressesConflict(a: string, b: string): boolean {
  const [one, other] = [parseAddress(a), parseAddress(b)];
  if (one === undefined || other === undefined || one.port !== other.port || one.port === 0) return false;
  const [host, otherHost] = [canonicalHost(one.host), canonicalHost(other.host)];
  return host === otherHost || covers(host, otherHost) || covers(otherHost, host);
}

function covers(wide: string, host: string): boolean {
  return wide === "::" || (wide === "0.0.0.0" && !host.includes(":"));
}

function canonicalHost(host: string | undefined): string {
  if (host === undefined) return "::";
  if (host.toLowerCase() === "localhost") return "127.0.0.1";
  if (!host.includes(":")) return host.toLowerCase();
  return URL.parse(`http://[${host}]`)?.hostname.slice(1, -1) ?? host;
}
