import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { runInProcess } from "../../src/app/testing.ts";
import type { JsonObject } from "../../src/config/json.ts";
import { readYaml } from "../../src/config/yaml.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const DEPLOY = join(ROOT, "deploy");
const CONFIG = "/etc/runway/runway.yaml";

interface Service {
  readonly image: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly command?: readonly string[];
}

function composed(): { readonly services: Readonly<Record<string, Service>>; readonly volumes: JsonObject } {
  const root = readYaml(readFileSync(join(DEPLOY, "compose.yaml"), "utf8"));
  assert.ok(root.ok, JSON.stringify(root));
  return root.value as never;
}

/** No container runtime is needed for this, and none is here: what the files say of each other and of runway. */
describe("the compose file", () => {
  const { services, volumes } = composed();
  const nodes = Object.entries(services).filter(([, { volumes: mounts }]) => mounts.some((at) => at.includes(CONFIG)));
  const variables = (environment: Service["environment"]) =>
    Object.fromEntries(
      Object.entries(environment ?? {}).map(([name, value]) => [name, value.replace(/^\$\{.*\}$/, "given")]),
    );

  it("has two control planes and two data planes, whose files runway finds valid with their environment", async () => {
    assert.equal(nodes.length, 4);
    for (const [name, { environment, volumes: mounts }] of nodes) {
      const file = mounts.find((mount) => mount.includes(CONFIG))!.split(":")[0]!;
      const env = variables(environment);
      const { code, out, err } = await runInProcess(["validate", "-c", join(DEPLOY, file)], { env });
      assert.equal(code, 0, `${name}: ${err}`);
      assert.match(out, name.startsWith("control-plane") ? /control_plane/ : /data_plane/);
    }
  });

  it("issues each certificate that a node is told to show, in a volume that it mounts", () => {
    const script = services.certificates!.command!.join("\n");
    for (const [name, { environment = {}, volumes: mounts }] of nodes) {
      const shown = Object.values(environment).filter((value) => value.startsWith("/etc/runway/pki/"));
      assert.deepEqual(shown, [`/etc/runway/pki/${name}.crt`, `/etc/runway/pki/${name}.key`]);
      assert.match(script, new RegExp(`\\b${name}\\b`));
      assert.ok(mounts.includes("pki:/etc/runway/pki:ro"));
    }
  });

  it("names services where it gives addresses, and declares every volume", () => {
    const text = ["compose/control-plane.yaml", "compose/data-plane.yaml", "compose.yaml"]
      .map((file) => readFileSync(join(DEPLOY, file), "utf8"))
      .join("\n");
    const hosts = [...text.matchAll(/([a-z][a-z0-9-]*):9443|@([a-z]+)\//g)].map(
      ([, node, database]) => node ?? database!,
    );
    assert.ok(hosts.length >= 5);
    for (const host of hosts) assert.ok(host in services, host);
    for (const { volumes: mounts } of Object.values(services))
      for (const mount of mounts.map((one) => one.split(":")[0]!))
        assert.ok(mount.startsWith("./") ? existsSync(join(DEPLOY, mount)) : mount in volumes, mount);
  });
});

describe("the Containerfile", () => {
  it("copies what is there, and starts the program that is there", () => {
    const text = readFileSync(join(DEPLOY, "Containerfile"), "utf8");
    const copied = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths]) => paths!.split(" "));
    assert.ok(copied.length >= 6);
    for (const path of copied) assert.ok(existsSync(join(ROOT, path)), path);
    assert.match(text, /ln -s \/opt\/runway\/bin\/runway \/usr\/local\/bin\/runway/);
    const major = Number(/node:(\d+)-/.exec(text)?.[1]);
    assert.ok(major >= 24, "bin/runway takes no older runtime");
  });
});
