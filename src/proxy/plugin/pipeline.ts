import type { PluginHooks } from "../../sdk/plugin.ts";
import type { PluginInstance } from "./plugin-set.ts";

/** A plugin as a route has it: the instance that the route, its upstream or the gateway configures, and those of consumers. */
export interface PluginChoice {
  readonly own: PluginInstance | undefined;
  /** By consumer; undefined for one who has it switched off. */
  readonly byConsumer: ReadonlyMap<string, PluginInstance | undefined> | undefined;
}

/** What the route says about who may come. */
export interface RouteAuth {
  readonly required: boolean;
  /** Names of plugins; none means all. */
  readonly methods: readonly string[];
}

type Hook = Exclude<keyof PluginHooks, "challenge" | "secrets" | "dispose">;

/** The plugins of a route in the order of running, made once for each change of configuration. Absent hooks are left out. */
export class Pipeline {
  readonly choices: readonly PluginChoice[];
  readonly auth: RouteAuth;
  /** Positions in `choices` of those that have the hook for anybody. */
  readonly asking: readonly number[];
  readonly trying: readonly number[];
  /** From the last to the first. */
  readonly responding: readonly number[];
  readonly logging: readonly number[];
  /** Behind which of `asking` everybody has had a chance to say who it is; -1 where nobody authenticates. */
  readonly gate: number;
  /** What a client may authenticate with. */
  readonly challenges: readonly string[];

  constructor(choices: readonly PluginChoice[], auth: RouteAuth) {
    this.choices = choices;
    this.auth = auth;
    this.asking = positions(choices, "onRequest", "authenticate");
    this.trying = positions(choices, "onUpstreamRequest");
    this.responding = positions(choices, "onResponse").reverse();
    this.logging = positions(choices, "onLog");
    const authenticators = choices.filter(
      ({ own }) => own?.hooks.authenticate !== undefined && this.mayAuthenticate(own),
    );
    this.gate = this.asking.findLastIndex((position) => authenticators.includes(choices[position]!));
    this.challenges = authenticators.flatMap(({ own }) => own?.hooks.challenge ?? []);
  }

  /** Whether the route lets this plugin tell who asks. */
  mayAuthenticate({ plugin }: PluginInstance): boolean {
    return this.auth.methods.length === 0 || this.auth.methods.includes(plugin.name);
  }

  /** Whether it runs the instance that a place has of a plugin. */
  has(plugin: string, place: string): boolean {
    return this.choices.some(({ own }) => own?.plugin.name === plugin && own.place === place);
  }

  /** The instance at a position for a consumer. */
  instance(position: number, consumer: string | undefined): PluginInstance | undefined {
    const { own, byConsumer } = this.choices[position]!;
    return consumer !== undefined && byConsumer?.has(consumer) === true ? byConsumer.get(consumer) : own;
  }
}

function positions(choices: readonly PluginChoice[], ...hooks: readonly Hook[]): number[] {
  const has = (instance: PluginInstance | undefined) => hooks.some((hook) => instance?.hooks[hook] !== undefined);
  return [...choices.keys()].filter((position) => {
    const { own, byConsumer } = choices[position]!;
    return has(own) || [...(byConsumer?.values() ?? [])].some(has);
  });
}
