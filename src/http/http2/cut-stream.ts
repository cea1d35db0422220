import type { Http2Stream } from "node:http2";

/**
 * Resets a stream at once. `close` alone begins with `end`, which would tell the peer that a message which is cut is complete
 * before the reset does otherwise, and it waits for a peer that does not read.
 */
export function cutStream(stream: Http2Stream, code: number): void {
  stream._final = (done) => done();
  stream.close(code);
  stream.destroy();
}
