/**
 * What became of something in a file of another gateway. `closed` is what answers nobody, and `unprotected` what answers
 * everybody, since what kept people out has no counterpart.
 */
type Outcome = "mapped" | "approximated" | "left out" | "closed" | "unprotected";

export interface Finding {
  readonly outcome: Outcome;
  /** What it is about, in the words of the file: `route orders`. */
  readonly subject: string;
  /** What it became, what is different now, or why it has no counterpart. */
  readonly what: string;
}

const MAX_SUBJECTS = 6;
/** Most urgent first. */
const HEADINGS: Readonly<Record<Exclude<Outcome, "mapped">, string>> = {
  unprotected: "UNPROTECTED: OPEN WITHOUT WHAT KEPT PEOPLE OUT",
  closed: "CLOSED, since what kept people out is missing",
  approximated: "Approximated, look at these",
  "left out": "Left out",
};

/** Keeps account of an import, so that nothing is changed or lost in silence. */
export class ImportReport {
  readonly findings: Finding[] = [];
  readonly #told = new Set<string>();

  mapped(subject: string, what: string): void {
    this.#add("mapped", subject, what);
  }

  approximated(subject: string, what: string): void {
    this.#add("approximated", subject, what);
  }

  leftOut(subject: string, what: string): void {
    this.#add("left out", subject, what);
  }

  closed(subject: string, what: string): void {
    this.#add("closed", subject, what);
  }

  unprotected(subject: string, what: string): void {
    this.#add("unprotected", subject, what);
  }

  #add(outcome: Outcome, subject: string, what: string): void {
    const finding = { outcome, subject, what };
    const key = JSON.stringify(finding);
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.findings.push(finding);
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
  const rest = (Object.keys(HEADINGS) as (keyof typeof HEADINGS)[]).map((outcome) => section(findings, outcome));
  return headline + rest.join("");
}

function section(findings: readonly Finding[], outcome: keyof typeof HEADINGS): string {
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
