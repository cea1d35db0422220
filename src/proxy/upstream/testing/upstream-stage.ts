import { type RawClient, TestProxy } from "../../testing/test-proxy.ts";
import { MoodyOrigin } from "./moody-origin.ts";

/** An answer without a body, a target's name, or a failure. */
const COMPLETE = /^(?=[\s\S]*Content-Length: 0\r\n)[\s\S]*\r\n\r\n$|\r\n\r\n(?:.|\{.*\}\n)$/;

export interface Answer {
  readonly status: number;
  /** The target's name, or the code of the gateway's failure. */
  readonly by: string;
  readonly text: string;
}

/** A gateway before some moody origins, whose upstream and route a test sets as it likes. */
export class UpstreamStage {
  readonly gateway = new TestProxy();
  readonly origins: readonly MoodyOrigin[];
  readonly #client: { current: RawClient | undefined } = { current: undefined };

  private constructor(origins: readonly MoodyOrigin[]) {
    this.origins = origins;
  }

  /** @param names of the origins, one letter each */
  static async open(names: string, policy: object = {}, route: object = {}): Promise<UpstreamStage> {
    const stage = new UpstreamStage(await Promise.all([...names].map((name) => new MoodyOrigin(name).start())));
    await stage.set(policy, route);
    return stage;
  }

  /** Applies these settings of the upstream, for all origins or those named. */
  async set(policy: object, route: object = {}, names?: string, transport: object = {}): Promise<void> {
    const backends = this.origins.filter(({ name }) => names?.includes(name) !== false).map(({ url }) => ({ url }));
    await this.gateway.apply({
      upstreams: { u: { backends, ...policy } },
      routes: { r: { path: "/", path_prefix: true, upstream: "u", ...route } },
      settings: { transport },
    });
  }

  origin(name: string): MoodyOrigin {
    return this.origins.find((origin) => origin.name === name)!;
  }

  /** One request after another; by whom each was answered. */
  async ask(count: number, ...fields: readonly string[]): Promise<Answer[]> {
    const answers: Answer[] = [];
    for (let n = 0; n < count; n++) answers.push(await this.#askOnce(fields));
    return answers;
  }

  /** One request as it is written. */
  send(text: string): Promise<Answer> {
    return this.#exchange((client) => client.send(text));
  }

  /** Requests that the targets have got. */
  get requests(): number {
    return this.origins.reduce((sum, { requests }) => sum + requests, 0);
  }

  /** Who answered, each once, in alphabetical order. */
  async who(count: number, ...fields: readonly string[]): Promise<string> {
    const answers = await this.ask(count, ...fields);
    return [...new Set(answers.map(({ by }) => by))].sort().join("");
  }

  /** The messages that were logged about targets. */
  logged(): string[] {
    return this.gateway.logLines().map(({ message }) => message);
  }

  async stop(): Promise<void> {
    await this.gateway.stop();
    for (const origin of this.origins) await origin.stop();
  }

  #askOnce(fields: readonly string[]): Promise<Answer> {
    return this.#exchange((client) => client.get("/", ...fields));
  }

  async #exchange(ask: (client: RawClient) => RawClient): Promise<Answer> {
    if (this.#client.current?.isClosed !== false) this.#client.current = this.gateway.client();
    const text = await ask(this.#client.current).until(COMPLETE);
    if (text.includes("\r\nConnection: close")) this.#client.current = undefined;
    const by = /"code":"(\w+)"/.exec(text)?.[1] ?? text.slice(text.indexOf("\r\n\r\n") + 4);
    return { status: Number(text.slice(9, 12)), by, text };
  }
}
