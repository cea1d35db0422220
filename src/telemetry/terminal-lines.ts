import { stripVTControlCharacters, styleText } from "node:util";

const STYLE = { debug: "gray", info: "cyan", warn: "yellow", error: "red" } as const;

/** Turns the logger's JSON lines into lines for a person: `12:30:01 info  listening  listener=http address=…`. */
export class TerminalLines {
  readonly #target: { write(text: string): unknown };

  constructor(target: { write(text: string): unknown }) {
    this.#target = target;
  }

  write(json: string): void {
    const { time, level, msg, ...fields } = JSON.parse(json) as Record<string, unknown>;
    const style = STYLE[level as keyof typeof STYLE] ?? "cyan";
    const rest = Object.entries(fields).map(([name, value]) => ` ${styleText("dim", `${name}=`)}${show(value)}`);
    const clock = new Date(String(time)).toLocaleTimeString("en-GB");
    this.#target.write(`${clock} ${styleText(style, String(level).padEnd(5))} ${msg}${rest.join("")}\n`);
  }
}

/** Text of others may hold escape sequences, which a terminal would obey. */
function show(value: unknown): string {
  if (isLoggedError(value)) return stripVTControlCharacters(value.stack ?? value.message);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /^[\w.:/@+-]+$/.test(text)
    ? text
    : stripVTControlCharacters(typeof value === "string" ? JSON.stringify(text) : text);
}

function isLoggedError(value: unknown): value is { message: string; stack?: string } {
  return typeof value === "object" && value !== null && "message" in value && "stack" in value;
}
