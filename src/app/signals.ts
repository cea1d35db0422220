import { constants } from "node:os";

export interface SignalActions {
  /** The first SIGTERM or SIGINT. A second one ends the process at once. */
  stop(): void;
  /** Each SIGHUP. */
  reload(): void;
  /** Each SIGHUP and each SIGUSR1: files that were moved away are opened anew. */
  reopen(): void;
}

/** Listens to the process's signals; the returned function stops listening. Nothing else in runway touches signals. */
export function listenToSignals({ stop, reload, reopen }: SignalActions): () => void {
  let stopping = false;
  const onStop = (name: NodeJS.Signals) => {
    if (stopping) process.exit(128 + constants.signals[name]);
    stopping = true;
    stop();
  };
  const onHangUp = () => {
    reopen();
    reload();
  };
  // Listening to SIGUSR1 also keeps the runtime from opening its debugger on it.
  process.on("SIGTERM", onStop).on("SIGINT", onStop).on("SIGHUP", onHangUp).on("SIGUSR1", reopen);
  return () => {
    process.off("SIGTERM", onStop).off("SIGINT", onStop).off("SIGHUP", onHangUp).off("SIGUSR1", reopen);
  };
}
