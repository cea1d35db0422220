import { type Service, ServiceGroup } from "../../core/service.ts";
import type { Gateway } from "./gateway.ts";
import type { GatewayAdminView } from "./gateway-admin-view.ts";

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
  readonly gateway: Gateway;
  readonly view: GatewayAdminView;
  readonly hangUp: () => void;
}

export function createRoleService({ name, services, gateway, view, hangUp }: RoleParts): RoleService {
  const group = new ServiceGroup(name, services);
  return {
    name,
    async start() {
      await group.start();
      view.started();
    },
    stop: (deadline) => group.stop(deadline),
    hangUp,
    prepareToStop() {
      gateway.drain();
      const shutdown = gateway.live?.settings.shutdown;
      return { drainDelayMs: shutdown?.drain_delay ?? 0, timeoutMs: shutdown?.timeout ?? 30_000 };
    },
  };
}
