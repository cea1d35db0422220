import type { Configuration } from "../../config/configuration.ts";
import type { Target } from "../../config/resources/upstream.ts";
import type { GatewayView, ShownCircuit, ShownTarget } from "../gateway-view.ts";
import { EVERY_ROLE, type Operation, operation } from "../operation.ts";

/** The targets and how they are. */
export function targetOperations(gateway: GatewayView): Operation[] {
  const read = (path: string, summary: string, json: () => unknown) =>
    operation({ method: "GET", path, roles: EVERY_ROLE, summary, handle: () => ({ json: json() }) });
  return [
    read("/backends", "Every target, once, and how it is.", () => backends(gateway)),
    read("/upstreams", "The upstreams, and how their targets are.", () => upstreams(gateway)),
    read("/circuit-breakers", "The circuit breakers, by who has the targets.", () => circuitBreakers(gateway)),
  ];
}

interface Owner {
  readonly key: string;
  readonly kind: "routes" | "upstreams";
  readonly id: string;
  readonly targets: readonly Target[];
}

function* ownersOf(configuration: Configuration | undefined): Generator<Owner> {
  for (const { id, backends: targets } of configuration?.routes ?? [])
    if (targets !== undefined) yield { key: `route:${id}`, kind: "routes", id, targets };
  for (const { id, backends: targets } of configuration?.upstreams ?? [])
    yield { key: `upstream:${id}`, kind: "upstreams", id, targets };
}

function backends(gateway: GatewayView) {
  const found = new Map<string, { routes: string[]; upstreams: string[]; known: ShownTarget[] }>();
  for (const { key, kind, id, targets } of ownersOf(gateway.configuration())) {
    const known = gateway.watched(key)?.targets;
    for (const [index, { url }] of targets.entries()) {
      const row = found.getOrInsertComputed(url, () => ({ routes: [], upstreams: [], known: [] }));
      row[kind].push(id);
      row.known.push(...(known ?? []).filter(({ backend }) => backend === index));
    }
  }
  return [...found].map(([url, { known, routes, upstreams: names }]) => ({
    ...{ url, status: worstOf(known), routes, upstreams: names },
    ...checkJson(known.find(({ lastCheckMs }) => lastCheckMs !== undefined)),
  }));
}

function upstreams(gateway: GatewayView) {
  return (gateway.configuration()?.upstreams ?? []).map((upstream) => {
    const known = gateway.watched(`upstream:${upstream.id}`)?.targets ?? [];
    const targets = upstream.backends.flatMap(({ url }, index) => {
      const own = known.filter(({ backend }) => backend === index);
      return own.length === 0 ? [targetJson(url, undefined)] : own.map((target) => targetJson(url, target));
    });
    return { ...upstream, targets };
  });
}

function targetJson(url: string, target: ShownTarget | undefined) {
  if (target === undefined) return { url, status: "unknown" };
  const { isEjected, ejections, share, circuit, foundAt } = target;
  const own = circuit === undefined ? {} : { circuit: circuit.state };
  const found = foundAt === undefined ? {} : { found_at: foundAt };
  return {
    url,
    ...found,
    status: worstOf([target]),
    ejected: isEjected,
    ejections,
    share,
    ...own,
    ...checkJson(target),
  };
}

function circuitBreakers(gateway: GatewayView) {
  return Object.fromEntries(
    [...ownersOf(gateway.configuration())].flatMap(({ key, targets }) => {
      const known = gateway.watched(key);
      if (known === undefined) return [];
      const each = known.targets.flatMap(({ backend, foundAt, circuit }) =>
        circuit === undefined ? [] : [[foundAt ?? targets[backend]!.url, circuitJson(circuit)] as const],
      );
      if (known.circuit === undefined && each.length === 0) return [];
      const shown = known.circuit === undefined ? { targets: Object.fromEntries(each) } : circuitJson(known.circuit);
      return [[key, shown] as const];
    }),
  );
}

function circuitJson({ state, failures, opened }: ShownCircuit) {
  return { state, failure_count: failures, opened_total: opened };
}

/** What it is for somebody it is, even if others have not noticed. */
function worstOf(known: readonly ShownTarget[]): "healthy" | "unhealthy" | "unknown" {
  if (known.some(({ health, isEjected }) => health === "unhealthy" || isEjected)) return "unhealthy";
  return known.some(({ health }) => health === "healthy") ? "healthy" : "unknown";
}

/** Of active checks. */
function checkJson(target: ShownTarget | undefined) {
  if (target?.lastCheckMs === undefined) return {};
  const { latencyMs, lastCheckMs, error } = target;
  return {
    ...(latencyMs === undefined ? {} : { latency: `${latencyMs.toFixed(1)}ms` }),
    last_check: new Date(lastCheckMs).toISOString(),
    ...(error === undefined ? {} : { error }),
  };
}
