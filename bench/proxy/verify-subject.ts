import { ask } from "../ask.ts";
import { askWhatWasReceived, type Received } from "./origin.ts";

/** The first request of a worker opens its connection to the origin, and who of several workers is asked is left to the kernel. */
const MAX_ASKED = 16;

/**
 * Makes sure that a subject does the work that is compared: answers what the origin answers, tells the origin who asked
 * for what, and keeps its connection to the origin. Both are addresses without a path.
 *
 * @throws Error naming everything that it does not do.
 */
export async function verifySubject(url: string, originUrl: string, signal: AbortSignal): Promise<void> {
  const flaws = await compareAnswers(url, originUrl, signal);
  flaws.push(...(await flawsInWhatIsSent(url, signal)));
  if (flaws.length > 0) throw new Error(`it is not doing comparable work: ${flaws.join("; ")}`);
}

/** Of the first request that has none, or of the last. */
async function flawsInWhatIsSent(url: string, signal: AbortSignal): Promise<readonly string[]> {
  const scheme = new URL(url).protocol.replace(":", "");
  for (let asked = 1; ; asked++) {
    const flaws = flawsOf(await askWhatWasReceived(url, signal), scheme);
    if (flaws.length === 0 || asked === MAX_ASKED) return flaws;
  }
}

async function compareAnswers(url: string, originUrl: string, signal: AbortSignal): Promise<string[]> {
  const [own, proxied] = await Promise.all(
    [originUrl, url].map(async (each) => JSON.stringify(await ask(`${each}/`, { signal }))),
  );
  return own === proxied ? [] : [`it answers ${proxied} where the origin answers ${own}`];
}

/** What is wrong with a request as the origin received it, which a worker was to send over a connection that it had. */
export function flawsOf(received: Received, scheme = "http"): readonly string[] {
  const flaws: string[] = [];
  if (received["x-forwarded-for"] !== "127.0.0.1") flaws.push(`X-Forwarded-For is "${received["x-forwarded-for"]}"`);
  if (received["x-forwarded-proto"] !== scheme) flaws.push(`X-Forwarded-Proto is "${received["x-forwarded-proto"]}"`);
  if (received["x-forwarded-host"] === "") flaws.push("X-Forwarded-Host is missing");
  if (received["x-request-id"] === "") flaws.push("X-Request-ID is missing");
  if (received.connection.toLowerCase() === "close" || Number(received["requests-on-this-connection"]) < 2)
    flaws.push("the connection to the origin is not kept");
  return flaws;
}
