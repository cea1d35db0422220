import { isIP } from "node:net";
import { connect, type SecureContext, type TLSSocket } from "node:tls";
import { CallCredentials, ChannelCredentials } from "@grpc/grpc-js";

type SecureConnector = ReturnType<ChannelCredentials["_createSecureConnector"]>;

export interface MutualTlsOptions {
  readonly secureContext: SecureContext;
  /** Host name or IP address that the server's certificate must be for. */
  readonly serverName: string;
  /** Called when the server's certificate is verified. The server verifies this side's only after that. */
  readonly secured: () => void;
  /** Called with each error of the TLS socket: the reason that gRPC reports later is often less clear. */
  readonly failed: (error: NodeJS.ErrnoException) => void;
}

/**
 * Channel credentials that make the TLS connection themselves. Those of the library set the server name to the host even
 * where it is an IP address, which Node 26 refuses, and lose the alert with which a server refuses a certificate.
 */
export class MutualTlsCredentials extends ChannelCredentials {
  readonly #options: MutualTlsOptions;

  constructor(options: MutualTlsOptions) {
    super();
    this.#options = options;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(): SecureConnector {
    return {
      connect: async (socket) => ({ socket: await secure(socket, this.#options), secure: true }),
      waitForReady: async () => {},
      getCallCredentials: () => CallCredentials.createEmpty(),
      destroy: () => {},
    };
  }
}

type Socket = Parameters<SecureConnector["connect"]>[0];

function secure(socket: Socket, { secureContext, serverName, secured, failed }: MutualTlsOptions): Promise<TLSSocket> {
  const name = isIP(serverName) === 0 ? { servername: serverName } : { host: serverName };
  return new Promise((resolve, reject) => {
    const tlsSocket = connect({ socket, secureContext, ALPNProtocols: ["h2"], ...name }, () => {
      secured();
      resolve(tlsSocket);
    });
    tlsSocket.on("error", (error) => {
      failed(error);
      reject(error);
    });
  });
}
