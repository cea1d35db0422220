/** A process of simulated nodes; the benchmark that forked it asks, and it answers each question once. */
import { setPriority } from "node:os";
import { SimulatedNodes, type SimulatedNodesOptions } from "./simulated-nodes.ts";

export type Question =
  | { readonly ask: "start"; readonly options: SimulatedNodesOptions }
  | { readonly ask: "standing" }
  | { readonly ask: "arrivals"; readonly version: number }
  | { readonly ask: "cut" }
  | { readonly ask: "stop" };

/** Behind the benchmark, which shares the core and measures how soon it is answered. */
const NICENESS = 10;

setPriority(NICENESS);
let nodes: SimulatedNodes | undefined;

async function answer(question: Question): Promise<unknown> {
  if (question.ask === "start") {
    nodes = new SimulatedNodes(question.options);
    return nodes.start();
  }
  switch (question.ask) {
    case "standing":
      return nodes?.standing();
    case "arrivals":
      return nodes?.arrivals(question.version);
    case "cut":
      return nodes?.cut();
    case "stop":
      return nodes?.stop();
  }
}

process.on("message", (question: Question) => {
  answer(question).then(
    (value) => process.send?.({ value }),
    (error: Error) => process.send?.({ error: error.stack }),
  );
});
process.on("disconnect", () => process.exit(0));
