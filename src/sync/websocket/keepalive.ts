import type { WebSocket } from "ws";
import type { Clock } from "../../core/clock.ts";

interface KeepaliveTimes {
  readonly everyMs: number;
  readonly answerWithinMs: number;
}

/** Pings the other side and drops a connection on which nothing answers. The returned function ends it. */
export function keepAlive(socket: WebSocket, clock: Clock, { everyMs, answerWithinMs }: KeepaliveTimes): () => void {
  let cancel = clock.after(everyMs, ping);
  function ping(): void {
    socket.ping();
    cancel = clock.after(answerWithinMs, () => socket.terminate());
  }
  socket.on("pong", () => {
    cancel();
    cancel = clock.after(everyMs, ping);
  });
  return () => cancel();
}
