import { once } from "node:events";
import { Agent, createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { isMapping, type Json, type JsonObject } from "../../src/config/json.ts";
import { readYaml } from "../../src/config/yaml.ts";
import { TestProxy } from "../../src/proxy/testing/test-proxy.ts";

export interface Question {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A gateway that runs what an import made, and one origin for all its targets, which says what it was asked. */
export class ImportedGateway implements AsyncDisposable {
  readonly #proxy = new TestProxy();
  readonly #agent = new Agent({ keepAlive: true });
  readonly #origin: Server = createServer((asked, response) => response.end(`${asked.headers.host} ${asked.url}`));

  /** Runs a document, its listeners replaced by one and its targets by the origin, which is told the target's own host. */
  async run(yaml: string): Promise<void> {
    if (!this.#origin.listening) await once(this.#origin.listen(0, "127.0.0.1"), "listening");
    const { port } = this.#origin.address() as AddressInfo;
    const root = readYaml(yaml.trim() === "{}" ? "routes: []" : yaml);
    if (!root.ok) throw new Error(JSON.stringify(root.problems));
    const routes = (root.value.routes ?? []) as readonly JsonObject[];
    await this.#proxy.apply({
      routes: Object.fromEntries(routes.map(({ id, ...spec }) => [String(id), spec])),
      upstreams: Object.fromEntries(
        Object.entries((root.value.upstreams ?? {}) as JsonObject).map(([id, spec]) => [id, moved(spec, port)]),
      ),
    });
  }

  /** The path that reached the origin after the host of the target; or the status when the gateway itself answered. */
  async ask({ method, path, host, headers }: Question): Promise<string> {
    const asked = request({
      agent: this.#agent,
      host: "127.0.0.1",
      port: this.#proxy.port,
      method,
      path,
      headers: { ...headers, host },
    });
    asked.end();
    const [response] = await once(asked, "response");
    let body = "";
    for await (const chunk of response) body += chunk;
    return response.statusCode === 200 ? body.slice(body.indexOf("/")) : String(response.statusCode);
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
