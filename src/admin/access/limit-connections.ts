import type { Server, Socket } from "node:net";

/** One address may not have all connections, so that it cannot lock the others out. */
const SHARE = 4;

/** At most `max` connections at a time, and at most a quarter of them from one address. More are closed at once. */
export function limitConnections(server: Server, max: number): void {
  const counts = new Map<string, number>();
  server.maxConnections = max;
  server.on("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    const count = (counts.get(address) ?? 0) + 1;
    if (count > max / SHARE) {
      socket.destroy();
      return;
    }
    counts.set(address, count);
    socket.once("close", () => {
      const left = counts.get(address)! - 1;
      if (left === 0) counts.delete(address);
      else counts.set(address, left);
    });
  });
}
