import type { Terminal } from "../terminal.ts";

const SIGNS = { added: ["+", "green"], changed: ["~", "yellow"], removed: ["-", "red"] } as const;

/** `route:api added` becomes `  + route:api`. */
export function changeLines(changes: readonly string[], terminal: Terminal): string {
  return changes
    .map((change) => {
      const [key = change, action = ""] = change.split(" ");
      const [sign, colour] = SIGNS[action as keyof typeof SIGNS] ?? [" ", "white"];
      return `  ${terminal.style(colour, `${sign} ${key}`)}\n`;
    })
    .join("");
}
