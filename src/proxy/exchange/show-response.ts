import type { BodyFraming } from "../../http/body-reader.ts";
import type { ResponseParser } from "../../http/response-parser.ts";
import type { Answer } from "../../sdk/answer.ts";
import { ResponseContext } from "../../sdk/response-context.ts";
import type { PluginRun } from "../plugin/plugin-run.ts";

/**
 * Shows the plugins that the request has met the response of the target; an answer takes its place.
 * @param type what the client is told that the body is, where that is not what the target says
 */
export function showResponse(
  run: PluginRun | undefined,
  response: ResponseParser,
  framing: BodyFraming,
  type: string | undefined,
): ResponseContext | Answer | undefined {
  if (type === undefined && run?.watchesResponses !== true) return undefined;
  const { status, fields, contentLength } = response;
  const seen = new ResponseContext({
    status,
    fields,
    contentLength: contentLength < 0 ? undefined : contentLength,
    hasBody: framing !== "none",
    isFromUpstream: true,
    failure: undefined,
  });
  if (type !== undefined) seen.headers.set("Content-Type", type);
  return run?.respond(seen) ?? seen;
}

/** Shows them an answer of our own, of which they may change the head. */
export function showAnswer(run: PluginRun | undefined, answer: Answer): Answer {
  if (run === undefined) return answer;
  const { status, headers, failure, body } = answer;
  const seen = new ResponseContext({
    ...{ status, fields: headers, isFromUpstream: false, failure },
    contentLength: failure === undefined ? body.length : undefined,
    hasBody: false,
  });
  const failed = run.respond(seen);
  if (failed !== undefined) return showAnswer(run, failed);
  return { ...answer, status: seen.status, headers: headers.with(seen.headers) };
}
