import { formatTable } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import type { LocalCluster } from "./local-cluster.ts";

/** What runs where, and three things to try. `program` is how the reader calls runway. */
export function introduction(cluster: LocalCluster, terminal: Terminal, program: string): string {
  const { ports, files } = cluster;
  const at = (port: number) => `http://127.0.0.1:${port}`;
  const where = formatTable(
    ["WHAT", "PID", "TRAFFIC", "ADMIN API", "CONFIGURATION"],
    [
      ["origin", cluster.origin.pid, at(ports.origin)],
      [
        "control plane",
        cluster.controlPlane.pid,
        "",
        at(ports.controlPlaneAdmin),
        files.configuration("control-plane"),
      ],
      ...ports.dataPlanes.map(({ nodeId, traffic, admin }, position) => [
        nodeId,
        cluster.dataPlanes[position]?.pid,
        at(traffic),
        at(admin),
        files.configuration(nodeId),
      ]),
    ],
  );
  const admin = ports.controlPlaneAdmin === 8081 ? "" : ` --admin ${at(ports.controlPlaneAdmin)}`;
  const command = (text: string) => `     ${terminal.style("cyan", text)}\n`;
  const first = ports.dataPlanes[0]!;
  return `
${where}
Ten requests a second go through the data planes. Three things to try in another terminal:

  1. Push a configuration with one more route, see it live on both data planes:
${command(`${program} push ${files.next} --wait${admin}`)}${command(`curl ${at(first.traffic)}/v2/anything`)}
  2. Kill the control plane and watch the traffic go on; then bring it back:
${command(`kill -9 ${cluster.controlPlane.pid}`)}${command(`${program} run -c ${files.configuration("control-plane")}`)}
  3. Ask the control plane about its fleet:
${command(`${program} nodes${admin}`)}
Logs are in ${files.directory}/logs. Ctrl-C stops everything.
`;
}
