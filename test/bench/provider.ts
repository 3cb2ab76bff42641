/**
 * The provider of the benchmark, in a process of its own: answers `GET /records?offset=&limit=` from pages that were
 * serialised before the clock started, so that what is measured is the reader. Prints its port as its first line.
 */
import { createServer } from "node:http";

const total = Number(process.argv[2]);
const size = Number(process.argv[3]);

const filler = "Lorem ipsum dolor sit amet consectetur ".repeat(16).slice(0, 560);
const record = (id: number): object => ({
  id, first_name: `Given${id % 977}`, last_name: `Family${id % 1811}`, email: `Person.${id}@Example.com`, phone: `+44 20 7946 ${String(id % 10_000).padStart(4, "0")}`,
  status: { id: id % 5, name: ["New", "Active", "On hold", "Done", "Left"][id % 5] }, employer: { name: `Company ${id % 500}`, size: String(id % 700) },
  hours: id % 480, progress: (id % 1000) / 10, started_on: "2026-03-01T00:00:00Z", updated_at: new Date(Date.UTC(2026, 0, 1) + id * 1000).toISOString(), note: filler,
});

const bodies: Buffer[] = [];
for (let offset = 0; offset < total; offset += size) {
  const records = Array.from({ length: Math.min(size, total - offset) }, (_, index) => record(offset + index + 1));
  bodies.push(Buffer.from(JSON.stringify({ records })));
}
const EMPTY = Buffer.from('{"records":[]}');

const server = createServer((request, response) => {
  const offset = Number(new URL(request.url!, "http://localhost").searchParams.get("offset") ?? 0);
  const body = bodies[offset / size] ?? EMPTY;
  response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
  response.end(body);
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => console.log((server.address() as { port: number }).port));
process.on("disconnect", () => process.exit(0));
