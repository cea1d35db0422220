/**
 * The one table of which room may import which. Writes it into biome.json as one override a room, since Biome's overrides
 * replace and do not add up. `node scripts/room-borders.ts` writes; `--check` fails when biome.json is stale.
 */
import { readFileSync, writeFileSync } from "node:fs";

const MAY_IMPORT = {
  core: [],
  sdk: ["core"],
  config: ["sdk", "core"],
  http: ["core"],
  proxy: ["http", "config", "sdk", "core"],
  plugins: ["sdk"],
  store: ["config", "core"],
  sync: ["config", "core"],
  admin: ["config", "sdk", "core"],
  import: ["config", "core"],
  telemetry: ["core"],
  app: ["core", "sdk", "config", "http", "proxy", "plugins", "store", "sync", "admin", "import", "telemetry"],
} as const satisfies Record<string, readonly string[]>;

const rooms = Object.keys(MAY_IMPORT) as (keyof typeof MAY_IMPORT)[];

function override(room: keyof typeof MAY_IMPORT) {
  const allowed: readonly string[] = MAY_IMPORT[room];
  const closed = rooms.filter((other) => other !== room && !allowed.includes(other));
  return {
    includes: [`src/${room}/**`],
    linter: {
      rules: {
        style: {
          noRestrictedImports: {
            level: "error",
            options: {
              patterns: [
                {
                  group: [...closed.map((other) => `../**/${other}/**`), "**/test/**", "**/bench/**", "**/scripts/**"],
                  message: `src/${room} may import only ${allowed.join(", ") || "nothing"}. See ARCHITECTURE.md.`,
                },
              ],
            },
          },
          // Only app reads the environment.
          ...(room === "app" ? { noProcessEnv: "off" } : {}),
        },
        ...(room === "app" ? { suspicious: { noConsole: "off" } } : {}),
      },
    },
  };
}

const tools = {
  includes: ["test/**", "bench/**", "scripts/**"],
  linter: { rules: { style: { noProcessEnv: "off" }, suspicious: { noConsole: "off" } } },
};

/** A suite is one long function of short ones. */
const suites = {
  includes: ["**/*.test.ts", "test/**"],
  linter: { rules: { complexity: { noExcessiveLinesPerFunction: "off" } } },
};

const path = new URL("../biome.json", import.meta.url);
const text = readFileSync(path, "utf8");
const wanted = `${JSON.stringify({ ...JSON.parse(text), overrides: [...rooms.map(override), tools, suites] }, null, 2)}\n`;
const same = JSON.stringify(JSON.parse(text)) === JSON.stringify(JSON.parse(wanted));
if (process.argv.includes("--check")) {
  if (!same) {
    console.error("biome.json does not hold the table of room borders: run `npm run borders`");
    process.exitCode = 1;
  }
} else if (!same) writeFileSync(path, wanted);
