import { Agent, request } from "node:http";

export interface LoadReport {
  readonly sent: number;
  /** One line for each answer that was not 200 and each connection error. */
  readonly failures: readonly string[];
}

/** Sends GETs over a few keep-alive connections, as fast as they are answered, until `stop` is called. Bounded in count. */
export function startLoad(
  url: string,
  { connections = 4, maxRequests = 200_000 } = {},
): { stop(): Promise<LoadReport> } {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const failures: string[] = [];
  let sent = 0;
  let running = true;
  const one = () =>
    new Promise<void>((done) => {
      const fail = (why: string) => {
        if (failures.length < 100) failures.push(`request ${sent}: ${why}`);
        done();
      };
      sent += 1;
      const call = request(url, { agent }, (response) => {
        response.resume();
        response.on("error", (error) => fail(error.message));
        response.on("end", () => (response.statusCode === 200 ? done() : fail(`status ${response.statusCode}`)));
      });
      call.on("error", (error) => fail(error.message));
      call.end();
    });
  const loops = Array.from({ length: connections }, async () => {
    while (running && sent < maxRequests) await one();
  });
  return {
    async stop() {
      running = false;
      await Promise.all(loops);
      agent.destroy();
      return { sent, failures };
    },
  };
}
