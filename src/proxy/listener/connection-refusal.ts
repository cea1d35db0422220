import type { Socket } from "node:net";
import { rescue, writeOwnAnswer } from "../exchange/rescue.ts";
import type { Gateway } from "../worker/gateway.ts";

/** How long a refused client has to read why. */
const LINGER_MS = 1_000;
/** Refused clients that are told why at a time. */
const MAX_TOLD = 128;

/**
 * Turns away the connections that are too many: with 503 and the reason, or by a reset when these are too many too or when
 * saying it would need a handshake first.
 */
export class ConnectionRefusal {
  readonly #gateway: Gateway;
  #told = 0;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
  }

  refuse(socket: Socket, isInTheClear: boolean): void {
    const { cells, clock, configuration, dateLine, requestIds } = this.#gateway;
    cells.add("connectionsRefused", 1);
    socket.on("error", () => {}); // "close" follows, and is what matters.
    if (!isInTheClear || this.#told >= MAX_TOLD) {
      socket.resetAndDestroy();
      return;
    }
    this.#told++;
    const cancel = clock.after(LINGER_MS, () => socket.destroy());
    socket.on("close", () => {
      this.#told--;
      cancel();
    });
    socket.resume(); // A close with something unread would be a reset, which may overtake the answer.
    const requestId = requestIds.make();
    const answering = { minorVersion: 1, keepAlive: false, requestId, dateLine };
    const { retryAfterSeconds } = configuration;
    socket.end(writeOwnAnswer(rescue("overloaded", { retryAfterSeconds }), false, answering), "latin1");
  }
}
