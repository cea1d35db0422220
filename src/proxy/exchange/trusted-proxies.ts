import { BlockList, isIPv6 } from "node:net";

/** The networks whose X-Forwarded-* fields are believed. */
export class TrustedProxies {
  readonly #networks = new BlockList();
  readonly #isEmpty: boolean;

  constructor(cidrs: readonly string[]) {
    this.#isEmpty = cidrs.length === 0;
    for (const cidr of cidrs) {
      const [address = "", prefix] = cidr.split("/");
      this.#networks.addSubnet(address, Number(prefix), isIPv6(address) ? "ipv6" : "ipv4");
    }
  }

  includes(address: string): boolean {
    return !this.#isEmpty && this.#networks.check(address, isIPv6(address) ? "ipv6" : "ipv4");
  }
}

/** The peer's address, an IPv4 one in its own spelling even when it came through an IPv6 socket. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}
