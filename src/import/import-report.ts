/** What became of something in a file of another gateway. */
type Outcome = "mapped" | "approximated" | "left out";

export interface Finding {
  readonly outcome: Outcome;
  /** What it is about, in the words of the file: `route orders`. */
  readonly subject: string;
  /** What it became, what is different now, or why it has no counterpart. */
  readonly what: string;
}

const MAX_SUBJECTS = 6;
const HEADINGS: Readonly<Record<Exclude<Outcome, "mapped">, string>> = {
  approximated: "Approximated, look at these",
  "left out": "Left out",
};

/** Keeps account of an import, so that nothing is changed or lost in silence. */
export class ImportReport {
  readonly findings: Finding[] = [];

  mapped(subject: string, what: string): void {
    this.findings.push({ outcome: "mapped", subject, what });
  }

  approximated(subject: string, what: string): void {
    this.findings.push({ outcome: "approximated", subject, what });
  }

  leftOut(subject: string, what: string): void {
    this.findings.push({ outcome: "left out", subject, what });
  }
}

/** For people: what was mapped is counted, what needs a look is told, each thing once with everything it is about. */
export function describeFindings(findings: readonly Finding[]): string {
  const mapped = findings.filter(({ outcome }) => outcome === "mapped");
  const kinds = Map.groupBy(mapped, ({ subject }) => subject.split(" ")[0]!);
  const counts = [...kinds].map(([kind, all]) => {
    const count = new Set(all.map(({ subject }) => subject)).size;
    return `${count} ${kind}${count === 1 ? "" : "s"}`;
  });
  const headline = `Mapped: ${counts.join(", ") || "nothing"}.\n`;
  const rest = (["approximated", "left out"] as const).map((outcome) => section(findings, outcome));
  return headline + rest.join("");
}

function section(findings: readonly Finding[], outcome: "approximated" | "left out"): string {
  const groups = Map.groupBy(
    findings.filter((finding) => finding.outcome === outcome),
    ({ what }) => what,
  );
  if (groups.size === 0) return "";
  const lines = [...groups].map(([what, group]) => `  ${subjects(group)}: ${what}\n`);
  return `${HEADINGS[outcome]}:\n${lines.join("")}`;
}

function subjects(group: readonly Finding[]): string {
  const names = [...new Set(group.map(({ subject }) => subject))];
  const more = names.length - MAX_SUBJECTS;
  return more > 0 ? `${names.slice(0, MAX_SUBJECTS).join(", ")} and ${more} more` : names.join(", ");
}
