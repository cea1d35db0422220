import { plainLanguage } from "../../config/testing/plain-language.ts";
import { systemClock } from "../../core/clock.ts";
import { silentLogger } from "../../core/ports.ts";
import { NodeCache } from "../node-cache.ts";
import { snapshotOf } from "./messages.ts";

/** Saves one version after the other into the directory of its argument, until it is killed. */
const cache = new NodeCache({
  language: plainLanguage,
  directory: process.argv[2]!,
  clock: systemClock,
  logger: silentLogger,
});
await cache.open();
const [newest] = await Array.fromAsync(cache.candidates());
for (let version = (newest?.snapshot.version ?? 0) + 1; ; version += 1) {
  await cache.save(snapshotOf(version));
  process.send?.(version);
}
