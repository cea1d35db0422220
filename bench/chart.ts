/**
 * The ratios of a result as bars, in SVG. One group for each workload, one bar for each lane; a dashed line marks the
 * baseline, and a thin one at the end of each bar goes from its worst round to its best. The colours are readable on
 * white and on black, and are chosen for one of them where the reader's preference is known.
 */
import { element, text } from "./svg.ts";

/** What is read of a result; it has more. */
export interface ChartResult {
  readonly date: string;
  readonly commit: string;
  readonly machine: { readonly cpu: string };
  readonly versions: Readonly<Record<string, string>>;
  readonly workloads: readonly ChartWorkload[];
}

interface ChartWorkload {
  readonly title: string;
  /** Absent, like `ratios`, where the workload could not be measured. */
  readonly notSupported?: readonly { readonly subject: string }[];
  readonly ratios?: readonly ChartRatio[];
}

interface ChartRatio {
  readonly lane: string;
  readonly baseline: string;
  readonly ratio: { readonly median: number; readonly min: number; readonly max: number };
}

const WIDTH = 880;
const BARS_AT = 430;
const UNIT = 250;
/** Longer bars end here; their number says how long they are. */
const MAX_RATIO = 1.5;
const ROW = 18;
const GAP = 14;
const TOP = 70;
const OURS = "runway";

const STYLE = `
text { font: 13px system-ui, sans-serif; fill: #57606a }
.title { font-size: 16px; font-weight: 600 }
.workload { font-weight: 600 }
.small { font-size: 11px }
.ours { fill: #1f6feb } .others { fill: #8b949e } .line { stroke: #6e7781 } .spread { stroke: #6e7781; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #c9d1d9 } .ours { fill: #58a6ff } .others { fill: #6e7681 } .line, .spread { stroke: #c9d1d9 }
}`;

export function renderChart(result: ChartResult): string {
  let y = TOP;
  const groups = result.workloads.filter(isShown).map((workload) => {
    const rows = rowsOf(workload);
    const group = renderGroup(workload.title, rows, y);
    y += rows.length * ROW + GAP;
    return group;
  });
  const height = y + 34;
  const head = [
    text(`Proxies beside each other, ${baselineOf(result)} = 1`, { x: 16, y: 26, class: "title" }),
    text("Work for the same CPU time; where latency or memory is compared, its inverse. Longer is better.", {
      ...{ x: 16, y: 46, class: "small" },
    }),
  ];
  const line = { x1: BARS_AT + UNIT, x2: BARS_AT + UNIT, y1: TOP - 14, y2: y - GAP + 4, class: "line" };
  const box = { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${WIDTH} ${height}`, width: WIDTH, height };
  const label = { role: "img", "aria-label": `Runway beside other proxies, ${baselineOf(result)} = 1` };
  return `${element("svg", { ...box, ...label }, [
    element("style", {}, [STYLE]),
    ...head,
    ...groups,
    element("line", { ...line, "stroke-dasharray": "3 3" }),
    text(describeOrigin(result), { x: 16, y: height - 14, class: "small" }),
  ])}\n`;
}

/** A row without a ratio says in words why there is none. */
type Row = { readonly name: string; readonly isOurs: boolean; readonly ratio?: ChartRatio["ratio"] };

function baselineOf({ workloads }: ChartResult): string {
  return workloads.flatMap(({ ratios = [] }) => ratios).find((each) => !isOfItself(each))?.baseline ?? "itself";
}

function isOfItself({ lane, baseline }: ChartRatio): boolean {
  return lane.split(",")[0] === baseline.split(",")[0];
}

function isShown(workload: ChartWorkload): boolean {
  return rowsOf(workload).some(({ ratio }) => ratio !== undefined);
}

/** Of lanes that are compared with themselves only our own are shown: what a log costs others is not the question. */
function rowsOf({ ratios = [], notSupported = [] }: ChartWorkload): readonly Row[] {
  const shown = ratios.filter((each) => !isOfItself(each) || each.lane.startsWith(OURS));
  const rows = shown.map((each) => ({
    name: isOfItself(each) ? `${each.lane.split(", ")[1]} / ${each.baseline.split(", ")[1]}` : each.lane,
    isOurs: each.lane.startsWith(OURS),
    ratio: each.ratio,
  }));
  const lacksOurs = notSupported.some(({ subject }) => subject === OURS);
  return lacksOurs ? [{ name: `${OURS}: not supported yet`, isOurs: true }, ...rows] : rows;
}

function renderGroup(title: string, rows: readonly Row[], top: number): string {
  const bars = rows.map((row, index) => renderRow(row, top + index * ROW));
  return element("g", {}, [text(title, { x: 16, y: top + 12, class: "workload" }), ...bars]);
}

function renderRow({ name, isOurs, ratio }: Row, top: number): string {
  const label = text(name, { x: BARS_AT - 8, y: top + 12, "text-anchor": "end", class: "small" });
  if (ratio === undefined) return label;
  const end = (value: number) => BARS_AT + Math.min(value, MAX_RATIO) * UNIT;
  const [width, middle] = [end(ratio.median) - BARS_AT, top + ROW / 2 - 1];
  return element("g", {}, [
    label,
    element("rect", {
      x: BARS_AT,
      y: top + 1,
      width: round(width),
      height: ROW - 4,
      rx: 2,
      class: isOurs ? "ours" : "others",
    }),
    element("line", { x1: round(end(ratio.min)), x2: round(end(ratio.max)), y1: middle, y2: middle, class: "spread" }),
    text(ratio.median.toFixed(2), {
      x: round(end(Math.max(ratio.median, ratio.max))) + 6,
      y: top + 12,
      class: "small",
    }),
  ]);
}

function describeOrigin({ date, commit, machine, versions }: ChartResult): string {
  const beside = ["nginx", "haproxy", "caddy"].flatMap((name) => (versions[name] ? `${name} ${versions[name]}` : []));
  return `${date.slice(0, 10)}, commit ${commit.slice(0, 7)}, one core of ${machine.cpu}. ${beside.join(", ")}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
