import { constants } from "node:os";

export interface SignalActions {
  /** The first SIGTERM or SIGINT. A second one ends the process at once. */
  stop(): void;
  /** Each SIGHUP. */
  reload(): void;
}

/** Listens to the process's signals; the returned function stops listening. Nothing else in runway touches signals. */
export function listenToSignals({ stop, reload }: SignalActions): () => void {
  let stopping = false;
  const onStop = (name: NodeJS.Signals) => {
    if (stopping) process.exit(128 + constants.signals[name]);
    stopping = true;
    stop();
  };
  process.on("SIGTERM", onStop).on("SIGINT", onStop).on("SIGHUP", reload);
  return () => {
    process.off("SIGTERM", onStop).off("SIGINT", onStop).off("SIGHUP", reload);
  };
}
