/** A relay as a process of its own: `node relay-process.ts <host:port> <network as JSON>` says its port to whoever forked it. */
import { parseAddress } from "../../src/sync/address.ts";
import { type Network, Relay } from "./relay.ts";

const [address = "", network = ""] = process.argv.slice(2);
const relay = new Relay(parseAddress(address), JSON.parse(network) as Network);
process.send?.(await relay.listen());
process.on("disconnect", () => process.exit(0));
