import { uniqueIds } from "./checks/unique-ids.ts";
import { checkMeaning, compileShapes, toConfiguration } from "./compile.ts";
import type { Configuration } from "./configuration.ts";
import type { ConfigurationChange } from "./configuration-change.ts";
import { applyDelta, type Delta } from "./delta.ts";
import type { Language } from "./language.ts";
import { type Checked, checked, refused } from "./problem.ts";
import { inCanonicalOrder, type Resource, type ResourceRef, resourceKey } from "./resource.ts";
import { RouteIndex } from "./route-index.ts";
import type { SecretResolver } from "./secret-reference.ts";
import { editSorted } from "./sorted-edit.ts";

/** Kinds whose resources can be checked with their neighbours alone. */
const CHANGED_ALONE: ReadonlySet<string> = new Set(["listener", "route", "upstream"]);

/** A change that was found right. Nothing has changed before `commit`. */
export interface Proposal {
  readonly resources: readonly Resource[];
  readonly change: ConfigurationChange;
  /** @throws when the state has changed since it was proposed. */
  commit(): void;
}

/**
 * What a node holds: a whole, valid set of resources and its running form. A change is checked by looking at what it names and
 * at the routes that it can be in conflict with, so that it costs what it is long, whatever the size of the state.
 *
 * Why that finds the same as to check the whole: the state had no problem before. A check of one resource by itself can only
 * find what is changed. The checks that compare resources compare a route with the upstream that it names and with routes that
 * ask for the same requests. So a new problem is among the changed resources, the routes that ask for the same as a changed
 * one, and those that name an upstream that goes. `configuration-state.test.ts` holds that against the whole.
 */
export class ConfigurationState {
  readonly #language: Language;
  readonly #resolveSecret: SecretResolver;
  #resources: readonly Resource[];
  #configuration: Configuration;
  /** Made for the first change. */
  #index: RouteIndex | undefined;

  private constructor(
    language: Language,
    resources: readonly Resource[],
    configuration: Configuration,
    resolveSecret: SecretResolver,
  ) {
    this.#language = language;
    this.#resources = resources;
    this.#configuration = configuration;
    this.#resolveSecret = resolveSecret;
  }

  /** Checks all of it. */
  static of(
    language: Language,
    resources: readonly Resource[],
    resolveSecret: SecretResolver,
  ): Checked<ConfigurationState> {
    const configuration = toConfiguration(language, resources, { resolveSecret });
    if (!configuration.ok) return configuration;
    const ordered = inCanonicalOrder(resources);
    return checked(new ConfigurationState(language, ordered, configuration.value, resolveSecret));
  }

  /** In canonical order. */
  get resources(): readonly Resource[] {
    return this.#resources;
  }

  get configuration(): Configuration {
    return this.#configuration;
  }

  /**
   * Checks a change. Undefined when it is about something that every other resource can depend on, such as settings: then the
   * state that it leads to has to be checked as a whole.
   * @param after the resources after it in canonical order, where somebody has them already
   */
  propose(delta: Delta, after?: readonly Resource[]): Checked<Proposal> | undefined {
    const { upserts, removals } = delta;
    if (![...upserts, ...removals].every(({ kind }) => CHANGED_ALONE.has(kind))) return undefined;
    this.#index ??= RouteIndex.of(this.#language, this.#configuration);
    const index = this.#index;
    const compiled = compileShapes(this.#language, upserts, this.#resolveSecret);
    if (this.#reachesFurther(compiled.configuration)) return undefined;
    const shaped = keysOf(compiled.configuration);
    const misshapen = upserts.filter((resource) => !shaped.has(resourceKey(resource)));
    const change = changeOf(this.#configuration, compiled.configuration, [...removals, ...misshapen]);
    const problems = [
      ...uniqueIds(upserts.map(({ kind, id }) => ({ kind, id, path: "" }))),
      ...compiled.problems,
      ...checkMeaning(this.#language, index.neighbourhood(change), index.upstreamNames(delta)),
    ];
    if (problems.length > 0) return refused(problems);
    const resources = after ?? applyDelta(this.#resources, delta);
    return checked({ resources, change, commit: () => this.#commit(resources, change, index) });
  }

  /** What an upstream says of plugins holds for routes that are not named here, and what a route asks of plugins may stand there. */
  #reachesFurther({ routes, upstreams }: Configuration): boolean {
    if (routes.some(({ auth, upstream }) => auth !== undefined && upstream !== undefined)) return true;
    return upstreams.some(({ id, plugins }) => {
      const before = this.#configuration.upstreams.find((upstream) => upstream.id === id)?.plugins ?? {};
      return JSON.stringify(before) !== JSON.stringify(plugins);
    });
  }

  #commit(resources: readonly Resource[], change: ConfigurationChange, index: RouteIndex): void {
    if (change.from !== this.#configuration) throw new Error("the state has changed since this was proposed");
    index.follow(change);
    this.#resources = resources;
    this.#configuration = change.to;
  }
}

function keysOf({ listeners, routes, upstreams }: Configuration): Set<string> {
  const lists = { listener: listeners, route: routes, upstream: upstreams };
  return new Set(Object.entries(lists).flatMap(([kind, list]) => list.map(({ id }) => resourceKey({ kind, id }))));
}

/** Lists that are not changed stay the very lists. */
function changeOf(from: Configuration, changed: Configuration, removals: readonly ResourceRef[]): ConfigurationChange {
  const removed = (kind: string) => removals.filter((removal) => removal.kind === kind).map(({ id }) => id);
  const [removedRoutes, removedUpstreams] = [removed("route"), removed("upstream")];
  const to: Configuration = {
    ...from,
    listeners: edited(from.listeners, changed.listeners, removed("listener")),
    routes: edited(from.routes, changed.routes, removedRoutes),
    upstreams: edited(from.upstreams, changed.upstreams, removedUpstreams),
  };
  return { from, to, routes: changed.routes, upstreams: changed.upstreams, removedRoutes, removedUpstreams };
}

type Named = { readonly id: string };

function edited<Item extends Named>(list: readonly Item[], put: readonly Item[], removed: readonly string[]) {
  if (put.length + removed.length === 0) return list;
  const edits = [
    ...put.map((item) => ({ key: item.id, item })),
    ...removed.map((id) => ({ key: id, item: undefined })),
  ].sort((a, b) => compareIds(a.key, b.key));
  return editSorted(list, edits, ({ id }, key) => compareIds(id, key));
}

function compareIds(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
