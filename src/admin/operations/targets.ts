import type { z } from "zod";
import type { Configuration } from "../../config/configuration.ts";
import type { JsonObject } from "../../config/json.ts";
import type { Redaction } from "../../config/redaction.ts";
import type { Target } from "../../config/resources/upstream.ts";
import type { Caller } from "../access/caller.ts";
import { BackendsAnswer, CircuitBreakersAnswer, UpstreamsAnswer } from "../answers/gateway.ts";
import type { GatewayView, ShownCircuit, ShownTarget } from "../gateway-view.ts";
import { EVERY_ROLE, type Operation, operation } from "../operation.ts";
import { type Show, shownTo } from "../shown-to.ts";

/** The targets and how they are. */
export function targetOperations(gateway: GatewayView, redaction: Redaction): Operation[] {
  const read = (path: string, answer: z.ZodType, summary: string, json: (caller: Caller) => unknown) =>
    operation({
      method: "GET",
      path,
      roles: EVERY_ROLE,
      summary,
      answer,
      handle: ({ caller }) => ({ json: json(caller) }),
    });
  return [
    read("/backends", BackendsAnswer, "Every target, once, and how it is.", () => backends(gateway)),
    read("/upstreams", UpstreamsAnswer, "The upstreams, and how their targets are.", (caller) =>
      upstreams(gateway, shownTo(caller, redaction)),
    ),
    read("/circuit-breakers", CircuitBreakersAnswer, "The circuit breakers, by who has the targets.", () =>
      circuitBreakers(gateway),
    ),
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

/** The blocks of plugins stand under their names, as in the configuration. */
function upstreams(gateway: GatewayView, show: Show) {
  return (gateway.configuration()?.upstreams ?? []).map(({ id, plugins, ...own }) => {
    const known = gateway.watched(`upstream:${id}`)?.targets ?? [];
    const targets = own.backends.flatMap(({ url }, index) => {
      const those = known.filter(({ backend }) => backend === index);
      return those.length === 0 ? [targetJson(url, undefined)] : those.map((target) => targetJson(url, target));
    });
    const { spec } = show({ kind: "upstream", id, spec: { ...own, ...plugins } as unknown as JsonObject });
    return { id, ...spec, targets };
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
