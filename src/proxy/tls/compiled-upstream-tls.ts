import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";
import type { UpstreamTls } from "./tls-material.ts";

/** How https targets are spoken to, ready for use. Made when the first target is https, since the authorities cost memory. */
export class CompiledUpstreamTls {
  readonly fingerprint: string;
  readonly verify: boolean;
  readonly #material: UpstreamTls;
  #context: SecureContext | undefined;

  constructor(material: UpstreamTls) {
    this.fingerprint = material.fingerprint;
    this.verify = material.verify;
    this.#material = material;
  }

  get context(): SecureContext {
    this.#context ??= createContext(this.#material);
    return this.#context;
  }
}

function createContext({ ca, cert, key }: UpstreamTls): SecureContext {
  const pair = cert === undefined || key === undefined ? {} : { cert, key };
  return createSecureContext({ minVersion: "TLSv1.2", ca: ca ?? systemAuthorities(), ...pair });
}

/** What the machine believes, which includes a company's own authority; where it has nothing, what the runtime brings along. */
function systemAuthorities(): string[] {
  const authorities = getCACertificates("system");
  return authorities.length > 0 ? authorities : getCACertificates("bundled");
}
