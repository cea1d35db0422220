import { z } from "zod";
import { ReloadAnswer } from "../answers/change.ts";
import { acceptedOrThrow } from "../configuration-change.ts";
import { EVERY_ROLE, type Operation, operation } from "../operation.ts";
import type { ReloadDesk } from "../reload-desk.ts";
import { changeJson, type ReloadHistory } from "../reload-history.ts";

/** `desk` is there where a file is a source of configuration; a data plane has none and refuses. */
export function reloadOperations(desk: ReloadDesk | undefined, history: ReloadHistory): Operation[] {
  return [
    operation({
      method: "POST",
      path: "/reload",
      roles: EVERY_ROLE,
      summary: "Reads the configuration file again and applies it.",
      ...(desk === undefined ? { answer: "text/plain", statuses: [403] } : { answer: ReloadAnswer }),
      handle: async () => {
        // The wording and the plain text are the cluster contract's.
        if (desk === undefined)
          return { status: 403, text: "config changes must go through control plane", contentType: "text/plain" };
        return { json: changeJson(acceptedOrThrow(await desk.reload(), { invalid: "configurationRefused" })) };
      },
    }),
    operation({
      method: "GET",
      path: "/reload/status",
      roles: EVERY_ROLE,
      summary: "The last 50 changes of configuration on this node, most recent first.",
      answer: z.array(ReloadAnswer),
      handle: () => ({ json: history.list().map(changeJson) }),
    }),
  ];
}
