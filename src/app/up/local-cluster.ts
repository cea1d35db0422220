import { setTimeout as pause } from "node:timers/promises";
import type { Service } from "../../core/service.ts";
import { CommandError } from "../command-error.ts";
import { ChildProgram } from "./child-program.ts";
import { choosePort } from "./choose-port.ts";
import { ClusterFiles, type ClusterPorts } from "./cluster-files.ts";

const READY_TIMEOUT_MS = 30_000;
const POLL_MS = 50;

export interface LocalClusterOptions {
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A member ended by itself. */
  onEnd(member: ChildProgram, how: string): void;
}

/** An origin, a control plane and two data planes as processes of their own on this machine. */
export class LocalCluster implements Service {
  readonly name = "cluster";
  readonly files: ClusterFiles;
  readonly ports: ClusterPorts;
  readonly origin: ChildProgram;
  readonly controlPlane: ChildProgram;
  readonly dataPlanes: readonly ChildProgram[];

  private constructor(options: LocalClusterOptions, ports: ClusterPorts) {
    this.files = new ClusterFiles(options.directory);
    this.ports = ports;
    const member = (name: string, args: readonly string[]): ChildProgram => {
      const child: ChildProgram = new ChildProgram({
        name,
        args,
        logFile: this.files.log(name),
        env: options.env,
        onEnd: (how) => options.onEnd(child, how),
      });
      return child;
    };
    const node = (name: string) => member(name, ["run", "-c", this.files.configuration(name)]);
    this.origin = member("origin", ["origin", "--port", String(ports.origin)]);
    this.controlPlane = node("control-plane");
    this.dataPlanes = ports.dataPlanes.map(({ nodeId }) => node(nodeId));
  }

  /** Chooses ports: easy to remember where they are free. */
  static async plan(options: LocalClusterOptions): Promise<LocalCluster> {
    const dataPlane = async (nodeId: string, traffic: number, admin: number) => ({
      nodeId,
      traffic: await choosePort(traffic),
      admin: await choosePort(admin),
    });
    return new LocalCluster(options, {
      origin: await choosePort(9000),
      cluster: await choosePort(9443),
      controlPlaneAdmin: await choosePort(8081),
      dataPlanes: [await dataPlane("dp-1", 8080, 8083), await dataPlane("dp-2", 8082, 8084)],
    });
  }

  get members(): readonly ChildProgram[] {
    return [this.origin, this.controlPlane, ...this.dataPlanes];
  }

  /** @throws CommandError naming the member that does not come up, with its last words. */
  async start(): Promise<void> {
    await this.files.write(this.ports);
    const { origin, controlPlaneAdmin, dataPlanes } = this.ports;
    await Promise.all([
      startAndWait(this.origin, `http://127.0.0.1:${origin}/`),
      startAndWait(this.controlPlane, `http://127.0.0.1:${controlPlaneAdmin}/ready`),
    ]);
    await Promise.all(
      this.dataPlanes.map((member, position) =>
        startAndWait(member, `http://127.0.0.1:${dataPlanes[position]!.admin}/ready`),
      ),
    );
  }

  /** Data planes first, so that they do not look for a control plane that is gone. */
  async stop(deadline: AbortSignal): Promise<void> {
    await Promise.all(this.dataPlanes.map((member) => member.stop(deadline)));
    await Promise.all([this.controlPlane, this.origin].map((member) => member.stop(deadline)));
  }

  killNow(): void {
    for (const member of this.members) member.killNow();
  }
}

async function startAndWait(member: ChildProgram, url: string): Promise<void> {
  await member.start();
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  while (member.isRunning && performance.now() < deadlineMs) {
    const response = await fetch(url, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.status === 200) return;
    await pause(POLL_MS);
  }
  const what = member.isRunning ? `is not ready after ${READY_TIMEOUT_MS / 1_000} s` : "did not start";
  throw new CommandError("failed", `${member.name} ${what}. It said last:\n${member.lastLines()}`);
}
