import { once } from "node:events";
import { type Command, InvalidArgumentError } from "commander";
import { startOrigin } from "../up/origin.ts";
import type { CommandContext } from "./command-context.ts";

/** Not in the help: what `up` sends its traffic to. */
export function addOrigin(program: Command, { terminal }: CommandContext): void {
  program
    .command("origin", { hidden: true })
    .description("answer every HTTP request on loopback with a description of it")
    .option("--port <number>", "where to listen; 0 lets the system choose", portOf, 0)
    .action(async ({ port }: { port: number }) => {
      const server = await startOrigin(port);
      terminal.write(`${JSON.stringify(server.address())}\n`);
      await once(server, "close");
    });
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError("Give a port from 0 to 65535.");
}
