import type { Duplex } from "node:stream";
import type { HostAndPort } from "./address.ts";
import { formatAddress } from "./address.ts";

/** Octets that the proxy's answer may have. */
const MAX_ANSWER_BYTES = 16_384;

/**
 * Asks an HTTP proxy, on a connection to it, for a tunnel to `target` (RFC 9110 §9.3.6). After it the connection is one to the target.
 * @param credentials `user:password`, empty for none
 * @throws Error that says what the proxy answered
 */
export function openTunnel(socket: Duplex, target: HostAndPort, credentials: string): Promise<void> {
  const authority = formatAddress(target);
  const authorization =
    credentials === "" ? "" : `Proxy-Authorization: Basic ${Buffer.from(credentials).toString("base64")}\r\n`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${authorization}\r\n`);
  return readAnswer(socket);
}

function readAnswer(socket: Duplex): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let answer = "";
  const onReadable = (): void => {
    // One octet at a time: what follows the head is the target's.
    for (let octet = socket.read(1) as Buffer | null; octet !== null; octet = socket.read(1) as Buffer | null) {
      answer += octet.toString("latin1");
      const isWhole = answer.endsWith("\r\n\r\n");
      if (isWhole || answer.length > MAX_ANSWER_BYTES) {
        settle(isWhole ? refusalIn(answer) : new Error("the proxy's answer has no end"));
        return;
      }
    }
  };
  const onEnd = (): void => settle(new Error("the proxy closed the connection"));
  const settle = (outcome: Error | undefined): void => {
    socket.off("readable", onReadable).off("end", onEnd).off("close", onEnd).off("error", settle);
    if (outcome === undefined) resolve();
    else reject(outcome);
  };
  socket.on("readable", onReadable).on("end", onEnd).on("close", onEnd).on("error", settle);
  return promise;
}

/** Undefined when the proxy has agreed. */
function refusalIn(answer: string): Error | undefined {
  const [, status = "", phrase = ""] = /^HTTP\/1\.[01] (\d{3})(?: ([^\r\n]*))?\r\n/.exec(answer) ?? [];
  if (/^2\d\d$/.test(status)) return undefined;
  if (status === "407") return new Error("the proxy asks for other credentials (407)");
  return new Error(
    status === "" ? "the proxy does not speak HTTP" : `the proxy refused the tunnel: ${status} ${phrase}`,
  );
}
