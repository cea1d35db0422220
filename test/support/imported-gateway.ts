import { once } from "node:events";
import { Agent, createServer, type IncomingHttpHeaders, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { isMapping, type Json, type JsonObject } from "../../src/config/json.ts";
import { readYaml } from "../../src/config/yaml.ts";
import { hashApiKey } from "../../src/plugins/api_key/plugin.ts";
import { hashPassword } from "../../src/plugins/basic_auth/password-hash.ts";
import { PLUGINS } from "../../src/plugins/index.ts";
import { TestProxy } from "../../src/proxy/testing/test-proxy.ts";

export interface Question {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a client gets, and what the origin was asked, if it was. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly asked: { readonly path: string; readonly headers: IncomingHttpHeaders } | undefined;
}

/** As `runway import` makes them. */
export const HASHES = { apiKey: hashApiKey, password: hashPassword };

/**
 * A gateway that runs what an import made, and one origin for all its targets, which says what it was asked. It believes what its
 * clients say in X-Forwarded-For.
 */
export class ImportedGateway implements AsyncDisposable {
  readonly #proxy = new TestProxy(PLUGINS);
  readonly #agent = new Agent({ keepAlive: true });
  readonly #origin: Server = createServer(({ url: path, headers }, response) =>
    response.end(JSON.stringify({ path, headers })),
  );

  /** Runs a document, its listeners replaced by one and its targets by the origin, which is told the target's own host. */
  async run(yaml: string): Promise<void> {
    if (!this.#origin.listening) await once(this.#origin.listen(0, "127.0.0.1"), "listening");
    const { port } = this.#origin.address() as AddressInfo;
    const root = readYaml(yaml.trim() === "{}" ? "routes: []" : yaml);
    if (!root.ok) throw new Error(JSON.stringify(root.problems));
    const { routes = [], upstreams = {}, consumers = {}, ...settings } = root.value;
    await this.#proxy.apply({
      routes: Object.fromEntries((routes as readonly JsonObject[]).map(({ id, ...spec }) => [String(id), spec])),
      upstreams: Object.fromEntries(
        Object.entries(upstreams as JsonObject).map(([id, spec]) => [id, moved(spec, port)]),
      ),
      consumers: consumers as JsonObject,
      settings: { ...settings, trusted_proxies: { cidrs: ["127.0.0.0/8"] } },
    });
  }

  /** The path that reached the origin after the host of the target; or the status when the gateway itself answered. */
  async ask(question: Question): Promise<string> {
    const { status, asked } = await this.reply(question);
    return asked?.path ?? String(status);
  }

  async reply({ method, path, host, headers }: Question): Promise<Reply> {
    const asked = request({
      agent: this.#agent,
      host: "127.0.0.1",
      port: this.#proxy.port,
      method,
      path,
      headers: { ...headers, host },
    });
    asked.end();
    const [response]: [IncomingMessage] = (await once(asked, "response")) as [IncomingMessage];
    let body = "";
    for await (const chunk of response) body += chunk;
    const { statusCode: status = 0, headers: got } = response;
    return { status, headers: got, asked: status === 200 && body !== "" ? JSON.parse(body) : undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    await this.#proxy.stop();
    this.#origin.closeAllConnections();
    this.#origin.close();
  }
}

/** `http://orders:8000/api` becomes `http://127.0.0.1:PORT/orders:8000/api`, so that the origin sees who was meant. */
function moved(spec: Json | undefined, port: number): Json {
  if (!isMapping(spec)) return null;
  const backends = (spec.backends as readonly JsonObject[]).map(({ url, ...rest }) => ({
    ...rest,
    url: `http://127.0.0.1:${port}/${String(url).replace(/^https?:\/\//, "")}`,
  }));
  return { ...spec, backends };
}
