import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** What a command has of the world around it. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a person watches standard output, so that it may be coloured and redrawn. */
  readonly isInteractive: boolean;
  /** The width of the terminal, where there is one. */
  readonly columns: number | undefined;
  /** Standard output. */
  write(text: string): void;
  /** Standard error. */
  complain(text: string): void;
  style(style: Style, text: string): string;
  /** All of standard input, as text. */
  readInput(): Promise<string>;
}

export const processTerminal: Terminal = {
  env: process.env,
  isInteractive: process.stdout.isTTY === true,
  get columns() {
    return process.stdout.columns;
  },
  write: (text) => void process.stdout.write(text),
  complain: (text) => void process.stderr.write(text),
  style: (style, text) => (process.stdout.isTTY ? styleText(style, text) : text),
  async readInput() {
    return Buffer.concat(await process.stdin.toArray()).toString("utf8");
  },
};
