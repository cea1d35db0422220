import type { Command } from "commander";
import { z } from "zod";
import type { AdminClient, AdminReply } from "../admin-client.ts";
import { counted } from "../counted.ts";
import { EXIT } from "../exit-codes.ts";
import { type AdminOptions, adminCommand, type CommandContext, clientOf } from "./command-context.ts";

const Health = z.object({ status: z.string(), uptime: z.string(), role: z.string(), runway_version: z.string() });
const Ready = z.object({ status: z.string(), reasons: z.array(z.string()).default([]) });
const Stats = z.object({
  routes: z.number(),
  listeners: z.number(),
  active_connections: z.number(),
  requests_total: z.number(),
  failures_total: z.number(),
});
const Configuration = z.object({
  version: z.number(),
  hash_hex: z.string(),
  timestamp: z.string(),
  source: z.string(),
});
const Cluster = z.object({
  node_id: z.string(),
  cp_address: z.string(),
  connected: z.boolean(),
  has_config: z.boolean(),
  config_version: z.number(),
  config_hash_hex: z.string(),
  last_error: z.string(),
});

export function addStatus(program: Command, context: CommandContext): void {
  adminCommand(program, "status", context)
    .description("show how a node of any role is; exit code 1 when it is not ready")
    .addHelpText("after", "\nExamples:\n  runway status\n  runway status --admin http://127.0.0.1:8083 --json")
    .action(async (options: AdminOptions) => {
      const replies = await ask(clientOf(options, context));
      const { ready } = replies;
      if (ready.status !== 200) context.exitCode = EXIT.failed;
      const { terminal } = context;
      if (!options.json) return terminal.write(describe(replies));
      const members = Object.entries(replies).filter(([, reply]) => reply !== undefined);
      terminal.write(`{${members.map(([name, { text }]) => `${JSON.stringify(name)}:${text.trim()}`).join(",")}}\n`);
    });
}

interface Replies {
  readonly health: AdminReply;
  readonly ready: AdminReply;
  readonly stats: AdminReply;
  /** Of a control plane. */
  readonly configuration?: AdminReply;
  /** Of a data plane. */
  readonly cluster?: AdminReply;
}

async function ask(client: AdminClient): Promise<Replies> {
  // First what strangers are refused, since they are told little of the node's health.
  const stats = await client.request("/stats");
  const health = await client.request("/health", { accept: [503] });
  const { role } = health.parse(Health);
  const ready = await client.request("/ready", { accept: [503] });
  const shared = { health, ready, stats };
  if (role === "control_plane") return { ...shared, configuration: await client.request("/api/v1/config/hash") };
  return role === "data_plane" ? { ...shared, cluster: await client.request("/cluster/status") } : shared;
}

function describe({ health, ready, stats, configuration, cluster }: Replies): string {
  const { status, uptime, role, runway_version } = health.parse(Health);
  const { reasons } = ready.parse(Ready);
  const numbers = stats.parse(Stats);
  const lines: [string, string][] = [
    ["role", `${role}, runway ${runway_version}, up ${uptime}`],
    ["health", status],
    ["ready", reasons.length === 0 ? "yes" : `no: ${reasons.join("; ")}`],
    ["serves", served(numbers)],
    ["requests", `${numbers.requests_total}, of which ${numbers.failures_total} failed`],
  ];
  if (configuration !== undefined)
    lines.push(["configuration", describeConfiguration(configuration.parse(Configuration))]);
  if (cluster !== undefined) lines.push(...describeCluster(cluster.parse(Cluster)));
  return lines.map(([name, text]) => `${`${name}:`.padEnd(15)}${text}\n`).join("");
}

function served({ routes, listeners, active_connections }: z.output<typeof Stats>): string {
  const parts = [counted(routes, "route"), counted(listeners, "listener"), counted(active_connections, "connection")];
  return parts.join(", ");
}

function describeConfiguration({ version, hash_hex, timestamp, source }: z.output<typeof Configuration>): string {
  return `version ${version}, ${hash_hex}, from ${source} at ${timestamp}`;
}

function describeCluster(cluster: z.output<typeof Cluster>): [string, string][] {
  const { node_id, connected, cp_address, has_config, config_version, config_hash_hex, last_error } = cluster;
  return [
    ["node", node_id],
    ["control plane", `${connected ? "connected to" : "not connected to"} ${cp_address}`],
    ["configuration", has_config ? `version ${config_version}, ${config_hash_hex}` : "none yet"],
    ...(last_error === "" ? [] : [["last error", last_error] satisfies [string, string]]),
  ];
}
