import { ask } from "../ask.ts";
import { askWhatWasReceived, type Received } from "./origin.ts";

/**
 * Makes sure that a subject does the work that is compared: answers what the origin answers, tells the origin who asked
 * for what, and keeps its connection to the origin.
 *
 * @throws Error naming everything that it does not do.
 */
export async function verifySubject(port: number, originPort: number, signal: AbortSignal): Promise<void> {
  const flaws = await compareAnswers(port, originPort, signal);
  await askWhatWasReceived(port, signal);
  flaws.push(...flawsOf(await askWhatWasReceived(port, signal)));
  if (flaws.length > 0) throw new Error(`it is not doing comparable work: ${flaws.join("; ")}`);
}

async function compareAnswers(port: number, originPort: number, signal: AbortSignal): Promise<string[]> {
  const [own, proxied] = await Promise.all(
    [originPort, port].map(async (each) => JSON.stringify(await ask(`http://127.0.0.1:${each}/`, { signal }))),
  );
  return own === proxied ? [] : [`it answers ${proxied} where the origin answers ${own}`];
}

/** What is wrong with a request as the origin received it, the second one of a subject. */
export function flawsOf(received: Received): readonly string[] {
  const flaws: string[] = [];
  if (received["x-forwarded-for"] !== "127.0.0.1") flaws.push(`X-Forwarded-For is "${received["x-forwarded-for"]}"`);
  if (received["x-forwarded-proto"] !== "http") flaws.push(`X-Forwarded-Proto is "${received["x-forwarded-proto"]}"`);
  if (received["x-forwarded-host"] === "") flaws.push("X-Forwarded-Host is missing");
  if (received["x-request-id"] === "") flaws.push("X-Request-ID is missing");
  if (received.connection.toLowerCase() === "close" || Number(received["requests-on-this-connection"]) < 2)
    flaws.push("the connection to the origin is not kept");
  return flaws;
}
