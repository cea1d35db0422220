import type { ServerHttp2Stream } from "node:http2";
import { asHeaders, responseList } from "./header-list.ts";
import { type HeadOptions, StreamWriter } from "./stream-writer.ts";

/** Writes answers to streams that clients opened. */
export class AnswerWriter extends StreamWriter<ServerHttp2Stream> {
  protected override takeHead(text: string, end: number): readonly string[] | undefined {
    const head = responseList(text, end);
    if (!head[1]!.startsWith("1")) return head;
    this.openStream()?.additionalHeaders(asHeaders(head));
    return undefined;
  }

  /** A body of known length has none. */
  protected override mayHaveTrailers(head: readonly string[]): boolean {
    return !head.includes("content-length");
  }

  protected override sendHead(head: readonly string[], options: HeadOptions): void {
    this.openStream()?.respond(head, options);
  }
}
