/**
 * A process that `runway up` started ends with it, however it ends: the channel between them closes when the parent is
 * gone, even when it was killed.
 */
export function endWithParent(): void {
  if (process.channel === undefined) return;
  process.once("disconnect", () => process.exit(1));
  // The channel alone is no reason to live on.
  process.channel?.unref();
}
