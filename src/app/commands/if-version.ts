import { z } from "zod";
import type { AdminClient } from "../admin-client.ts";

const Head = z.object({ epoch: z.string() });

/** The If-Match of a change that depends on a version; none without one. */
export async function ifVersion(client: AdminClient, version: number | undefined): Promise<string | undefined> {
  if (version === undefined) return undefined;
  const { epoch } = (await client.request("/api/v1/config/hash")).parse(Head);
  return `"${version}-${epoch.slice(0, 8)}"`;
}
