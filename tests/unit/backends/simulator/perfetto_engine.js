// Runs the engine of Perfetto's user interface, WebAssembly for a web worker, under Node.
//
//     node perfetto_engine.js FOLDER < REQUESTS > REPLIES
//
// FOLDER holds engine_bundle.js and the .wasm files. Requests and replies are TraceProcessorRpcStream messages.

const fs = require("fs");
const path = require("path");
const vm = require("vm");

const folder = process.argv[2];
const read = (url) => fs.readFileSync(path.join(folder, path.basename(String(url))));

class LocalRequest {
  open(method, url) {
    this.url = url;
  }
  send() {
    const file = read(this.url);
    this.response = file.buffer.slice(file.byteOffset, file.byteOffset + file.length);
    this.status = 200;
    this.onload?.();
  }
}

const port = {
  // The engine sets this when it has taken the port; it reads from then on.
  onmessage: null,
  postMessage: (reply) => fs.writeSync(1, Buffer.from(reply)),
};
const quiet = { log() {}, warn() {}, error() {} };
const worker = {
  console: quiet,
  fetch: async (url) =>
    new Response(read(url), { headers: { "Content-Type": "application/wasm" } }),
  importScripts() {},
  location: { href: "file:///engine_bundle.js" },
  WorkerGlobalScope: function () {},
  XMLHttpRequest: LocalRequest,
  requests: fs.readFileSync(0),
  clearTimeout, crypto, performance, port, setTimeout, TextDecoder, TextEncoder, URL,
};
worker.self = worker;
vm.createContext(worker);
const run = (code) => vm.runInContext(code, worker);

run(read("engine_bundle.js").toString());
run("self.onmessage({ data: port })");

// The engine says nothing when its machine code is ready; until then it has no memory to put requests in.
const TRIES = 600;
let tries = 0;
const timer = setInterval(() => {
  try {
    run("port.onmessage({ data: new Uint8Array(requests) })");
    clearInterval(timer);
  } catch (error) {
    tries += 1;
    if (error.name === "TypeError" && tries < TRIES) return;
    process.stderr.write(`${error.name}: ${error.message}\n`);
    process.exit(1);
  }
}, 100);
