import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/**
 * A port of the loopback that was free a moment ago, for programs that cannot be asked which one the system gave them.
 * Another program may take it first; then the program fails to start and says so.
 */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
