/**
 * What `npm test` runs: the static checks, then every test. `node scripts/test.ts e2e sync` runs only the tests whose path
 * holds one of the words, and skips the static checks.
 */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { availableParallelism } from "node:os";

const words = process.argv.slice(2);
const bin = (name: string) => new URL(`../node_modules/.bin/${name}`, import.meta.url).pathname;
process.chdir(new URL("..", import.meta.url).pathname);

const checks: readonly (readonly [string, readonly string[]])[] = [
  [bin("biome"), ["ci", "--colors=off", "--error-on-warnings", "."]],
  [bin("tsc"), []],
  [bin("knip"), []],
  [process.execPath, ["scripts/room-borders.ts", "--check"]],
  [process.execPath, ["scripts/docs.ts", "--check"]],
];

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

if (words.length === 0) for (const [command, args] of checks) run(command, args);

const files = globSync(["src/**/*.test.ts", "test/**/*.test.ts", "bench/**/*.test.ts"])
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort();
run(process.execPath, [
  "--disable-warning=ExperimentalWarning",
  "--test",
  `--test-concurrency=${availableParallelism()}`,
  "--test-timeout=180000",
  ...files,
]);
