import { runCli } from "./cli.ts";

/** Runs a command line in this process; for commands that have no need of one of their own. */
export async function runInProcess(
  args: readonly string[],
  { env = {}, input = "" }: { readonly env?: Readonly<Record<string, string>>; readonly input?: string } = {},
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await runCli(args, {
    env,
    isInteractive: false,
    columns: undefined,
    write: (text) => void out.push(text),
    complain: (text) => void err.push(text),
    style: (_, text) => text,
    readInput: async () => input,
  });
  return { code, out: out.join(""), err: err.join("") };
}
