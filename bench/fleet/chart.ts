/**
 * What fleets showed, as bars beside what was asked for, in SVG: one group for each setting, one bar for each measure, in
 * parts of its limit, which a dashed line marks. Shorter is better.
 */
import { element, text } from "../svg.ts";
import type { FleetMeasurement, FleetSetting } from "./measure.ts";

/** What is read of a result; it has more. */
export interface FleetResult {
  readonly date: string;
  readonly commit: string;
  readonly machine: { readonly cpu: string };
  readonly fleets: readonly (FleetMeasurement & { readonly medians: Readonly<Record<string, number>> })[];
}

type Fleet = FleetResult["fleets"][number];

interface Measure {
  readonly title: string;
  readonly limit: number;
  readonly unit: string;
  readonly of: (fleet: Fleet) => number | undefined;
}

/** For a fleet of a thousand nodes with 5,000 routes; what larger ones show is drawn beside the same limits. */
const MEASURES: readonly Measure[] = [
  { title: "change: half have acknowledged", limit: 60, unit: "ms", of: ({ medians }) => medians.ackMedianMs },
  { title: "change: 99 of 100 have", limit: 250, unit: "ms", of: ({ medians }) => medians.ackP99Ms },
  { title: "change: bytes a node", limit: 1_000, unit: "B", of: ({ medians }) => medians.bytesPerNode },
  { title: "change: CPU a node", limit: 150, unit: "µs", of: ({ cpuMicrosPerNodePerPush }) => cpuMicrosPerNodePerPush },
  { title: "memory a node", limit: 130, unit: "KB", of: ({ bytesPerNode }) => bytesPerNode / 1e3 },
  { title: "cut and changed: all in sync", limit: 20, unit: "s", of: ({ cut }) => cut.allInSyncMs / 1e3 },
  { title: "cut and changed: admin p99", limit: 500, unit: "ms", of: ({ cut }) => cut.admin.p99Ms },
  {
    title: "restart: all in sync",
    limit: 20,
    unit: "s",
    of: ({ restart }) => restart && (restart.startToReadyMs + restart.allInSyncMs) / 1e3,
  },
  { title: "restart: admin p99", limit: 500, unit: "ms", of: ({ restart }) => restart?.admin.p99Ms },
  {
    title: "one of several dies: all in sync",
    limit: 20,
    unit: "s",
    of: ({ takeover }) => takeover && takeover.allInSyncMs / 1e3,
  },
];

const WIDTH = 880;
const BARS_AT = 300;
/** The length of a bar that reaches its limit. */
const UNIT = 320;
const MAX_SHARE = 1.4;
const ROW = 18;
const GAP = 14;
const TOP = 70;

const STYLE = `
text { font: 13px system-ui, sans-serif; fill: #57606a }
.title { font-size: 16px; font-weight: 600 }
.setting { font-weight: 600 }
.small { font-size: 11px }
.within { fill: #1f6feb } .beyond { fill: #bf8700 } .line { stroke: #6e7781 }
@media (prefers-color-scheme: dark) {
  text { fill: #c9d1d9 } .within { fill: #58a6ff } .beyond { fill: #d29922 } .line { stroke: #c9d1d9 }
}`;

/** Of several results that measured the same setting the last is drawn. */
export function renderFleetChart(results: readonly FleetResult[]): string {
  const bySetting = new Map(
    results.flatMap(({ fleets }) => fleets).map((fleet) => [describeSetting(fleet.setting), fleet]),
  );
  let y = TOP;
  const groups = [...bySetting].map(([title, fleet]) => {
    const rows = rowsOf(fleet);
    const group = renderGroup(title, rows, y);
    y += (rows.length + 1) * ROW + GAP;
    return group;
  });
  const height = y + 20;
  const box = { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${WIDTH} ${height}`, width: WIDTH, height };
  const limit = { x1: BARS_AT + UNIT, x2: BARS_AT + UNIT, y1: TOP - 8, y2: y - GAP, class: "line" };
  return `${element("svg", { ...box, role: "img", "aria-label": "Fleets beside their limits" }, [
    element("style", {}, [STYLE]),
    text("Fleets on two cores, beside their limits", { x: 16, y: 26, class: "title" }),
    text(
      "Control planes on one core, all nodes on the other. The dashed line is the limit for 1,000 nodes. Shorter is better.",
      {
        ...{ x: 16, y: 46, class: "small" },
      },
    ),
    ...groups,
    element("line", { ...limit, "stroke-dasharray": "3 3" }),
    text(describeOrigin(results.at(-1)!), { x: 16, y: height - 8, class: "small" }),
  ])}\n`;
}

interface Row {
  readonly title: string;
  readonly share: number;
  readonly value: string;
}

function rowsOf(fleet: Fleet): readonly Row[] {
  return MEASURES.flatMap(({ title, limit, unit, of }) => {
    const value = of(fleet);
    if (value === undefined) return [];
    return [
      { title, share: Math.max(0, value) / limit, value: `${value.toFixed(value < 10 ? 1 : 0)} ${unit} of ${limit}` },
    ];
  });
}

function renderGroup(title: string, rows: readonly Row[], top: number): string {
  const bars = rows.map((row, index) => renderRow(row, top + (index + 1) * ROW));
  return element("g", {}, [text(title, { x: 16, y: top + 12, class: "setting" }), ...bars]);
}

function renderRow({ title, share, value }: Row, top: number): string {
  const width = Math.round(Math.min(share, MAX_SHARE) * UNIT);
  const kind = share <= 1 ? "within" : "beyond";
  return element("g", {}, [
    text(title, { x: BARS_AT - 8, y: top + 12, "text-anchor": "end", class: "small" }),
    element("rect", { x: BARS_AT, y: top + 1, width, height: ROW - 4, rx: 2, class: kind }),
    text(value, { x: BARS_AT + Math.max(width, UNIT) + 8, y: top + 12, class: "small" }),
  ]);
}

/** `1,000 nodes, 5,000 routes, grpc, 2 control planes, 20 ms and 1 % loss` */
function describeSetting({ nodes, routes, transport, controlPlanes, network }: FleetSetting): string {
  const count = (value: number) => value.toLocaleString("en");
  const planes = controlPlanes > 1 ? [`${controlPlanes} control planes`] : [];
  const way = network && [
    `${network.delayMs} to ${network.delayMs + network.jitterMs} ms each way`,
    `${network.lossShare * 100} % lost`,
    ...(network.cutsPerMinute > 0 ? [`cut ${network.cutsPerMinute} times a minute`] : []),
  ];
  return [`${count(nodes)} nodes`, `${count(routes)} routes`, transport, ...planes, ...(way ?? [])].join(", ");
}

function describeOrigin({ date, commit, machine }: FleetResult): string {
  return `${date.slice(0, 10)}, commit ${commit.slice(0, 7)}, ${machine.cpu}`;
}
