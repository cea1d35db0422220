import { stripVTControlCharacters } from "node:util";

const GAP = "  ";

/** Lines of aligned columns. What cells show may come from elsewhere: control characters, which a terminal would obey, are dropped. */
export function formatTable(headings: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cells = [headings, ...rows.map((row) => row.map(cellText))];
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? "").length)));
  return cells
    .map(
      (row) =>
        `${row
          .map((text, column) => text.padEnd(widths[column]!))
          .join(GAP)
          .trimEnd()}\n`,
    )
    .join("");
}

function cellText(value: unknown): string {
  if (value === undefined || value === null || value === "") return "-";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is dropped.
  return stripVTControlCharacters(String(value)).replaceAll(/[\u0000-\u001f\u007f]/g, " ");
}
