import { Agent, request } from "node:http";
import { request as requestSecurely, Agent as SecureAgent } from "node:https";

export interface LoadReport {
  readonly sent: number;
  /** One line for each answer that was not 200 and each connection error. */
  readonly failures: readonly string[];
}

export interface LoadOptions {
  readonly connections?: number;
  readonly maxRequests?: number;
  /** Whether connections are used again; otherwise each request has one of its own. */
  readonly keepAlive?: boolean;
  /** Authorities of an https URL, PEM. */
  readonly ca?: string;
}

/** Sends GETs over a few connections, as fast as they are answered, until `stop` is called. Bounded in count. */
export function startLoad(
  url: string,
  { connections = 4, maxRequests = 200_000, keepAlive = true, ca }: LoadOptions = {},
): { stop(): Promise<LoadReport> } {
  const isSecure = url.startsWith("https:");
  const options = { keepAlive, maxSockets: connections };
  const agent = isSecure ? new SecureAgent({ ...options, ...(ca !== undefined && { ca }) }) : new Agent(options);
  const send = isSecure ? requestSecurely : request;
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
      const call = send(url, { agent }, (response) => {
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
