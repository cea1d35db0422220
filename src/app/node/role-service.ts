import { type Service, ServiceGroup } from "../../core/service.ts";
import type { Gateway } from "./gateway.ts";

/** A node in its role: it starts, stops, and is told of SIGHUP. */
export interface RoleService extends Service {
  /** SIGHUP: reads the file again, where the file is a source of configuration. */
  hangUp(): void;
  /** Stops being ready, so that nobody sends new work; says how long to wait before stopping, and how long stopping may take. */
  prepareToStop(): { readonly drainDelayMs: number; readonly timeoutMs: number };
}

export interface RoleParts {
  readonly name: string;
  /** In the order of starting; they stop in reverse. */
  readonly services: readonly Service[];
  /**
   * Starts when all the rest runs: nobody is served half a node, and a node that starts again proxies at once. Stops last: it
   * says that the node is draining to the end.
   */
  readonly admin: Service;
  readonly gateway: Gateway;
  readonly hangUp: () => void;
}

const UNDO_LIMIT_MS = 5_000;

export function createRoleService({ name, services, admin, gateway, hangUp }: RoleParts): RoleService {
  const group = new ServiceGroup(name, services);
  return {
    name,
    async start() {
      await group.start();
      try {
        await admin.start();
      } catch (error) {
        await group.stop(AbortSignal.timeout(UNDO_LIMIT_MS));
        throw error;
      }
    },
    async stop(deadline) {
      try {
        await group.stop(deadline);
      } finally {
        await admin.stop(deadline);
      }
    },
    hangUp,
    prepareToStop() {
      gateway.drain();
      const shutdown = gateway.live?.settings.shutdown;
      return { drainDelayMs: shutdown?.drain_delay ?? 0, timeoutMs: shutdown?.timeout ?? 30_000 };
    },
  };
}
