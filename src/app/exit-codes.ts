/** The program's exit codes. They never change their meaning. */
export const EXIT = { ok: 0, failed: 1, usage: 2, invalid: 3, unreachable: 4, refused: 5 } as const;

export type ExitReason = keyof typeof EXIT;

/** As `--help` explains them. */
export const EXIT_MEANINGS: Readonly<Record<ExitReason, string>> = {
  ok: "done; for `diff`: no difference",
  failed:
    "failed; for `diff`: there are differences; for `status`: the node is not ready; for `import`: what was protected is closed now",
  usage: "the command line makes no sense, or a file that it names cannot be read",
  invalid: "the configuration is not valid; every problem is listed",
  unreachable: "the admin API cannot be reached",
  refused: "refused or in conflict; nothing has changed",
};
