import { connect } from "node:http2";
import type { LoadReport } from "./load.ts";

/** Sends GETs on one connection of HTTP/2, `streams` at a time, as fast as they are answered, until `stop` is called. */
export function startHttp2Load(url: string, { ca, streams = 8 }: { ca: string; streams?: number }) {
  const session = connect(url, { ca });
  const failures: string[] = [];
  let sent = 0;
  let running = true;
  session.on("error", (error) => void failures.push(error.message));
  session.on("close", () => void (running && failures.push("the connection ended")));
  const one = () =>
    new Promise<void>((done) => {
      const fail = (why: string) => void (failures.length < 100 && failures.push(`request ${sent}: ${why}`));
      sent += 1;
      const request = session.request({ ":path": "/" });
      let status: unknown;
      request.on("response", (headers) => {
        status = headers[":status"];
      });
      request.on("error", (error) => fail(error.message));
      request.on("close", () => {
        if (status !== 200) fail(`status ${status}`);
        done();
      });
      request.resume();
    });
  const loops = Array.from({ length: streams }, async () => {
    while (running && !session.closed) await one();
  });
  return {
    async stop(): Promise<LoadReport> {
      running = false;
      await Promise.all(loops);
      session.destroy();
      return { sent, failures };
    },
  };
}
