import { RunwayError } from "../core/failure.ts";

export interface HostAndPort {
  /** Empty: every interface. Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
}

/**
 * An address as people write it: `:9443`, `cp.example.com:9443`, `10.0.0.1:9443`, `[::1]:9443`.
 * @throws RunwayError configurationInvalid
 */
export function parseAddress(address: string): HostAndPort {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(address) ?? [];
  if (port === undefined || Number(port) > 65_535)
    throw new RunwayError("configurationInvalid", `${JSON.stringify(address)} is not an address: write host:port`);
  return { host: bracketed ?? plain ?? "", port: Number(port) };
}

/** The opposite of `parseAddress`. */
export function formatAddress({ host, port }: HostAndPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
