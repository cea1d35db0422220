import type { LookupAddress, SrvRecord } from "node:dns";
import { lookup, Resolver } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import type { DnsResolver } from "../../../config/resources/dns-resolver.ts";
import type { Clock } from "../../../core/clock.ts";
import type { Logger } from "../../../core/ports.ts";

/** Names that are remembered; beyond them the one that was asked for longest ago is forgotten. */
const MAX_NAMES = 10_000;
const DEFAULT_TIMEOUT_MS = 2_000;

interface Answer {
  readonly addresses: readonly LookupAddress[];
  readonly ttlMs: number;
}

interface Known extends Answer {
  readonly resolvedMs: number;
  /** Where the next connection begins in the list. */
  turn: number;
  isStale: boolean;
}

/**
 * The addresses of targets' names, for the connections of a worker. With nameservers of its own, an answer holds for its time to live;
 * IPv4 comes before IPv6, which is asked for only where there is no IPv4. Of several addresses each new connection begins with
 * another one and goes on to the next when it does not open. When a name cannot be resolved, its last addresses are used on for a
 * while. One query serves all who wait for the same name.
 */
export class NameResolver {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #settings: DnsResolver | undefined;
  #resolver: Resolver | undefined;
  readonly #known = new Map<string, Known>();
  readonly #asked = new Map<string, Promise<Known>>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** What was known is kept where the settings are the same. */
  configure(settings: DnsResolver): void {
    if (JSON.stringify(this.#settings) === JSON.stringify(settings)) return;
    this.#settings = settings;
    this.#known.clear();
    this.#asked.clear();
    this.#resolver = undefined;
    if (settings.nameservers.length === 0) return;
    this.#resolver = new Resolver({ timeout: settings.timeout, tries: 1 });
    this.#resolver.setServers(settings.nameservers);
  }

  /** In the form that sockets want. */
  readonly lookup: LookupFunction = (name, { all }, callback) => {
    this.resolve(name).then(
      (addresses) => {
        if (all === true) callback(null, [...addresses]);
        else callback(null, addresses[0]!.address, addresses[0]!.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, ""),
    );
  };

  /** At least one address, the next in turn first. Rejects when there is none and none is known from before. */
  async resolve(name: string): Promise<readonly LookupAddress[]> {
    const known = this.#known.get(name);
    const isFresh = known !== undefined && this.#clock.monotonicMs() - known.resolvedMs < known.ttlMs;
    const { addresses, turn } = isFresh ? this.#take(known) : this.#take(await this.#ask(name));
    return addresses.map((_, index) => addresses[(index + turn) % addresses.length]!);
  }

  /** The services that the name has records of, at least one. The system's servers are asked where there are none of our own. */
  async services(name: string): Promise<readonly SrvRecord[]> {
    const timeout = this.#settings?.timeout ?? DEFAULT_TIMEOUT_MS;
    const records = await (this.#resolver ?? new Resolver({ timeout, tries: 1 })).resolveSrv(name);
    if (records.length === 0) throw Object.assign(new Error(`${name} has no services`), { code: "ENODATA" });
    return records;
  }

  #take(known: Known): Pick<Known, "addresses" | "turn"> {
    const { addresses, turn } = known;
    known.turn = (turn + 1) % addresses.length;
    return { addresses, turn };
  }

  #ask(name: string): Promise<Known> {
    const asked = this.#asked.get(name);
    if (asked !== undefined) return asked;
    const answer = this.#query(name).then(
      (fresh) => this.#learn(name, fresh),
      (error: unknown) => this.#makeDo(name, error),
    );
    const done = answer.finally(() => {
      if (this.#asked.get(name) === done) this.#asked.delete(name);
    });
    this.#asked.set(name, done);
    return done;
  }

  #learn(name: string, answer: Answer): Known {
    const before = this.#known.get(name);
    if (before?.isStale === true) this.#logger.info("A name can be resolved again", { name });
    const known = { ...answer, resolvedMs: this.#clock.monotonicMs(), turn: before?.turn ?? 0, isStale: false };
    known.turn %= answer.addresses.length;
    this.#known.delete(name);
    this.#known.set(name, known);
    if (this.#known.size > MAX_NAMES) this.#known.delete(this.#known.keys().next().value!);
    return known;
  }

  #makeDo(name: string, error: unknown): Known {
    const known = this.#known.get(name);
    const keptMs = this.#settings?.keep_stale ?? 0;
    if (known === undefined || this.#clock.monotonicMs() - known.resolvedMs >= known.ttlMs + keptMs) throw error;
    const reason = error instanceof Error && "code" in error ? error.code : String(error);
    if (!known.isStale)
      this.#logger.warn("A name could not be resolved: its last addresses are used", { name, reason });
    known.isStale = true;
    return known;
  }

  async #query(name: string): Promise<Answer> {
    const resolver = this.#resolver;
    // The system keeps answers itself, and looks into its file of hosts.
    if (resolver === undefined) return { addresses: await lookup(name, { all: true }), ttlMs: 0 };
    try {
      return answerOf(await resolver.resolve4(name, { ttl: true }), 4);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENODATA") throw error;
      return answerOf(await resolver.resolve6(name, { ttl: true }), 6);
    }
  }
}

function answerOf(records: readonly { readonly address: string; readonly ttl: number }[], family: 4 | 6): Answer {
  const ttlMs = 1_000 * Math.min(...records.map(({ ttl }) => ttl));
  return { addresses: records.map(({ address }) => ({ address, family })), ttlMs };
}
