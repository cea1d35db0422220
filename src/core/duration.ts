const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration as people write it: one or more numbers with units, largest first, such as `500ms`, `30s` or `1h30m`. */
export const DURATION_PATTERN = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;

/** Milliseconds of a duration such as `1h30m`, or undefined when the text is not one. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION_PATTERN.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g))
    totalMs += Number(amount) * UNIT_MS[unit!]!;
  return totalMs;
}

/** The shortest exact spelling: 90_000 becomes `1m30s`, 0 becomes `0s`. `ms` is rounded to whole milliseconds. */
export function formatDuration(ms: number): string {
  let rest = Math.round(ms);
  let text = "";
  for (const unit of ["h", "m", "s", "ms"]) {
    const amount = Math.floor(rest / UNIT_MS[unit]!);
    if (amount > 0) text += `${amount}${unit}`;
    rest -= amount * UNIT_MS[unit]!;
  }
  return text === "" ? "0s" : text;
}
