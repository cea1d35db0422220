import type { Client } from "pg";
import type { Clock } from "../../core/clock.ts";
import type { Database } from "./database.ts";

/** The channel on which a new version is announced. */
export const CHANNEL = "runway";
const CHANNELS = [CHANNEL, "runway_call"] as const;
export type Channel = (typeof CHANNELS)[number];

/** Told what was announced; of undefined when something may have been missed. */
type Listener = (text: string | undefined) => void;

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Hears what other control planes announce, on a connection of its own that is replaced when it breaks. Each new
 * connection counts as an announcement, since some may have been missed.
 */
export class Announcements {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #listeners = new Set<{ readonly channel: Channel; readonly listener: Listener }>();
  #client: Client | undefined;
  #cancelRetry: () => void = () => {};
  #pauseMs = FIRST_PAUSE_MS;
  #isRunning = false;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#connect();
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#cancelRetry();
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => {});
  }

  listen(channel: Channel, listener: Listener): () => void {
    const entry = { channel, listener };
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  async #connect(): Promise<void> {
    const client = this.#database.newClient();
    this.#client = client;
    client.on("error", () => this.#lost(client));
    client.on("end", () => this.#lost(client));
    client.on("notification", ({ channel, payload }) => this.#tell(channel, payload));
    try {
      await client.connect();
      await client.query(CHANNELS.map((channel) => `LISTEN ${channel}`).join(";"));
      this.#pauseMs = FIRST_PAUSE_MS;
      for (const channel of CHANNELS) this.#tell(channel, undefined);
    } catch {
      this.#lost(client);
    }
  }

  /** Whatever becomes of the old connection, there is one new one, after a pause. */
  #lost(client: Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    client.end().catch(() => {});
    if (!this.#isRunning) return;
    this.#cancelRetry = this.#clock.after(this.#pauseMs, () => void this.#connect());
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
  }

  #tell(channel: string, text: string | undefined): void {
    for (const entry of this.#listeners) if (entry.channel === channel) entry.listener(text);
  }
}
