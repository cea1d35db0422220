/** A certificate with its key, as read from files and found to fit. */
export interface CertificatePair {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
  /** Hosts that are shown it, in small letters; `*.example.com` stands for one label. */
  readonly hosts: readonly string[];
  readonly notAfterMs: number;
  /** Hexadecimal. */
  readonly serial: string;
}

/** What a listener needs to speak TLS. */
export interface ListenerTls {
  /** Equal where nothing of it differs. */
  readonly fingerprint: string;
  /** The first is shown to whoever asks for no host that another one is for. */
  readonly certificates: readonly CertificatePair[];
  readonly clientAuth: "none" | "request" | "require" | "verify";
  readonly clientCa: string | undefined;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  readonly handshakeTimeoutMs: number;
  /** 48 octets, the same in all workers: a client that comes back may meet another one. */
  readonly ticketKeys: Uint8Array;
}

/** How targets that are https are spoken to. */
export interface UpstreamTls {
  /** Equal where connections made under the one may be used under the other. */
  readonly fingerprint: string;
  /** Undefined stands for the authorities of the system. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly verify: boolean;
}

/** All that TLS needs beyond the configuration: the content of the files that it names. Never logged, never shown. */
export interface TlsMaterial {
  /** By the listener's id; only those that speak TLS. */
  readonly listeners: ReadonlyMap<string, ListenerTls>;
  readonly upstream: UpstreamTls;
}
