import { fstatSync, write } from "node:fs";
import { Socket } from "node:net";

/** Where bytes go, one write at a time. */
export interface ByteSink {
  /** `done` is called once, when all bytes are written or never will be. */
  write(bytes: Buffer, done: (error: Error | null) => void): void;
  /** Whether nothing that was given to `write` waits for a reader. */
  isIdle(): boolean;
  /** Lets go of what waits, so that it keeps the process no longer. */
  abandon(): void;
}

/**
 * Pipes are written through the event loop: a write from a thread, as files get it, would block that thread for as long as
 * nobody reads, and a process cannot end while one of its threads is blocked.
 */
export function openByteSink(fileDescriptor: number): ByteSink {
  const kind = fstatSync(fileDescriptor);
  return kind.isFIFO() || kind.isSocket() ? pipeSink(fileDescriptor) : fileSink(fileDescriptor);
}

function pipeSink(fd: number): ByteSink {
  const socket = new Socket({ fd, readable: false, writable: true });
  // The callback of the write that failed is told.
  socket.on("error", () => {});
  return {
    write: (bytes, done) => void socket.write(bytes, (error) => done(error ?? null)),
    isIdle: () => socket.writableLength === 0,
    abandon: () => void socket.destroy(),
  };
}

function fileSink(fd: number): ByteSink {
  let busy = false;
  const writeAll = (bytes: Buffer, done: (error: Error | null) => void): void =>
    write(fd, bytes, (error, written) => {
      if (error === null && written < bytes.length) return writeAll(bytes.subarray(written), done);
      busy = false;
      done(error);
    });
  return {
    write(bytes, done) {
      busy = true;
      writeAll(bytes, done);
    },
    isIdle: () => !busy,
    abandon() {},
  };
}
