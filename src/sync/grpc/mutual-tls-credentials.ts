import type { TLSSocket } from "node:tls";
import { CallCredentials, ChannelCredentials } from "@grpc/grpc-js";

type SecureConnector = ReturnType<ChannelCredentials["_createSecureConnector"]>;
export type ChannelSocket = Parameters<SecureConnector["connect"]>[0];

/**
 * Channel credentials that let `secure` make the TLS connection. Those of the library set the server name to the host even where it
 * is an IP address, which Node 26 refuses, lose the alert with which a server refuses a certificate, and know no proxy.
 */
export class MutualTlsCredentials extends ChannelCredentials {
  readonly #secure: (socket: ChannelSocket) => Promise<TLSSocket>;

  constructor(secure: (socket: ChannelSocket) => Promise<TLSSocket>) {
    super();
    this.#secure = secure;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(): SecureConnector {
    return {
      connect: async (socket) => ({ socket: await this.#secure(socket), secure: true }),
      waitForReady: async () => {},
      getCallCredentials: () => CallCredentials.createEmpty(),
      destroy: () => {},
    };
  }
}
