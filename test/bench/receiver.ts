/** The receiver of the benchmark, in a process of its own: takes every POST, and says how many came; to /failing it answers 500, and counts none. Prints its port as its first line. */
import { createServer } from "node:http";

const ANSWER = Buffer.from('{"id":"1"}');
const FAILS_AFTER_MILLISECONDS = 300;
let received = 0;

const server = createServer((request, response) => {
  request.resume().on("end", () => {
    if (request.url === "/failing") return void setTimeout(() => response.writeHead(500).end(), FAILS_AFTER_MILLISECONDS);
    received++;
    response.writeHead(200, { "content-type": "application/json", "content-length": ANSWER.length }).end(ANSWER);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => console.log((server.address() as { port: number }).port));
process.on("message", () => process.send!(received));
process.on("disconnect", () => process.exit(0));
