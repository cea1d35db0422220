import { counted } from "../counted.ts";
import type { Terminal } from "../terminal.ts";

const SIGNS = { added: ["+", "green"], changed: ["~", "yellow"], removed: ["-", "red"] } as const;

/** What a version is made by, or would be. @param changes such as `route:api added` */
export function describeChanges(
  version: number,
  changes: readonly string[],
  { dryRun }: { readonly dryRun: boolean },
  terminal: Terminal,
): string {
  if (changes.length === 0)
    return `Nothing ${dryRun ? "would change" : "changed"}: version ${version} has this content already.\n`;
  const headline = `Version ${version} ${dryRun ? "would have" : "has"} ${counted(changes.length, "change")}:\n`;
  return headline + changeLines(changes, terminal);
}

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
