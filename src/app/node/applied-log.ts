import type { Logger } from "../../core/ports.ts";

/** One line for each configuration that went live: which, and how long each phase took. */
export function logApplied(
  logger: Logger,
  { version, epoch }: { readonly version?: number; readonly epoch?: string },
  durationsMs: Readonly<Record<string, number>>,
): void {
  const phases = Object.entries(durationsMs).map(([phase, ms]) => [`${phase}_ms`, Math.round(ms * 100) / 100] as const);
  const total = Object.values(durationsMs).reduce((sum, ms) => sum + ms, 0);
  logger.info("A configuration went live", {
    version,
    epoch,
    ...Object.fromEntries(phases),
    total_ms: Math.round(total * 100) / 100,
  });
}
