import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { WebSocketServer } from "ws";
import { BROWSER, Browser } from "../support/browser.ts";
import { missing } from "../support/installed.ts";
import { TlsProxy } from "../support/tls-proxy.ts";

describe("a browser through a TLS listener", { skip: missing(BROWSER) }, () => {
  let proxy: TlsProxy;
  let browser: Browser;
  let origin: Server;
  let webSockets: WebSocketServer;
  /** What the reconnecting client said it had last, each time. */
  const lastEventIds: unknown[] = [];

  before(async () => {
    origin = createServer((request, response) => {
      if (request.url !== "/events") {
        response.setHeader("content-type", "text/html");
        response.end("<!doctype html><title>page</title>");
        return;
      }
      const last = request.headers["last-event-id"];
      lastEventIds.push(last);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`retry: 10\nid: ${lastEventIds.length}\ndata: after ${last ?? "nothing"}\n\n`);
      if (last === undefined) response.end();
    });
    webSockets = new WebSocketServer({ server: origin });
    webSockets.on("connection", (socket) => {
      socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    origin.listen(0, "127.0.0.1");
    await once(origin, "listening");
    proxy = await TlsProxy.start();
    const { certFile, keyFile } = await proxy.authority.issue("gateway", { commonName: "localhost" });
    const tls = { cert_file: certFile, key_file: keyFile };
    await proxy.apply(proxy.sketch(`http://127.0.0.1:${(origin.address() as AddressInfo).port}`, tls));
    browser = await Browser.start();
    await browser.open(`https://localhost:${proxy.port}/`);
  });
  after(async () => {
    await browser[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    for (const socket of webSockets.clients) socket.terminate();
    origin.closeAllConnections();
    origin.close();
  });

  it("gets its page by HTTP/2", async () => {
    const protocol = await browser.evaluate('performance.getEntriesByType("navigation")[0].nextHopProtocol');
    assert.deepEqual([await browser.evaluate("document.title"), protocol], ["page", "h2"]);
  });

  it("opens a WebSocket, and gets back text and octets until it closes it", async () => {
    const seen = await browser.evaluate(`new Promise((resolve, reject) => {
      const seen = [];
      const socket = new WebSocket("wss://" + location.host + "/echo");
      socket.binaryType = "arraybuffer";
      socket.onerror = () => reject(new Error("the WebSocket failed"));
      socket.onopen = () => { socket.send("hello"); socket.send(new Uint8Array(200_000).fill(7)); };
      socket.onmessage = ({ data }) => {
        seen.push(typeof data === "string" ? data : data.byteLength);
        if (seen.length === 2) socket.close(1000, "done");
      };
      socket.onclose = ({ code, wasClean }) => resolve([...seen, code, wasClean]);
    })`);
    assert.deepEqual(seen, ["hello", 200_000, 1000, true]);
  });

  it("listens to an EventSource, and again from where it was cut", async () => {
    const seen = await browser.evaluate(`new Promise((resolve) => {
      const seen = [];
      const source = new EventSource("/events");
      source.onmessage = ({ data, lastEventId }) => {
        seen.push(lastEventId + " " + data);
        if (seen.length === 2) { source.close(); resolve(seen); }
      };
    })`);
    assert.deepEqual(
      [seen, lastEventIds],
      [
        ["1 after nothing", "2 after 1"],
        [undefined, "1"],
      ],
    );
  });
});
