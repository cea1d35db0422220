import type { ClientHttp2Stream } from "node:http2";
import type { OctetBuffers } from "../octet-buffers.ts";
import { requestList } from "./header-list.ts";
import { type HeadOptions, StreamWriter } from "./stream-writer.ts";

/** Writes requests, each of which opens a stream. */
export class RequestWriter extends StreamWriter<ClientHttp2Stream> {
  readonly #scheme: string;
  readonly #open: (head: readonly string[], options: HeadOptions) => ClientHttp2Stream | undefined;

  constructor(
    buffers: OctetBuffers,
    scheme: string,
    open: (head: readonly string[], options: HeadOptions) => ClientHttp2Stream | undefined,
  ) {
    super(buffers);
    this.#scheme = scheme;
    this.#open = open;
  }

  protected override takeHead(text: string, end: number): readonly string[] {
    return requestList(text, end, this.#scheme);
  }

  /** Those that the head announces. */
  protected override mayHaveTrailers(head: readonly string[]): boolean {
    return head.includes("trailer");
  }

  protected override sendHead(head: readonly string[], options: HeadOptions): void {
    this.stream = this.#open(head, options);
  }
}
