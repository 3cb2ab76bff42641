/**
 * `npm run bench:expressions`: our evaluator beside the reference, on three mappings, in turns within one run. Only the ratios say
 * something: the machine's own speed and load are in both.
 */
import { isDeepStrictEqual } from "node:util";
import jsonata from "jsonata";
import { compileFields } from "../../engine/expression/index.ts";

interface Mapping { readonly name: string; readonly wanted: number; readonly fields: Readonly<Record<string, string>>; readonly record: unknown }

const FLAT: Mapping = {
  name: "flat, 12 fields", wanted: 15,
  fields: {
    name: "properties.name", email: "properties.email", phone: "properties.phone", city: "properties.city", country: "properties.country", zip: "properties.zip",
    created: "properties.created", updated: "properties.updated", status: "$lowercase(properties.status)", owner: 'properties.owner ? properties.owner : "none"',
    amount: "$number(properties.amount)", contact: 'properties.first & " " & properties.last',
  },
  record: { id: "7", properties: { name: "Acme", email: "a@example.com", phone: "+44", city: "Leeds", country: "GB", zip: "LS1", created: "2026-01-01", updated: "2026-02-01", status: "ACTIVE", owner: null, amount: "12.5", first: "Jo", last: "Doe" } },
};

const NESTED: Mapping = {
  name: "nested, a candidate", wanted: 15,
  fields: {
    full_name: '$trim(first_name) & " " & $trim(last_name)', email: 'emails[type = "work"][0].value', phones: 'phones.{ "number": value, "kind": type }',
    stage: 'stage = "new" ? "applied" : stage in ["phone", "onsite"] ? "interview" : "other"', latest: "applications^(>date)[0].job.title", open: '$count(applications[status = "active"])',
    tags: '$join(tags.$uppercase(name), ",")', since: '$fromMillis($toMillis(created_at), "[Y0001]-[M01]-[D01]")', city: "addresses[0].city", source: '$substringBefore(source, "/")',
  },
  record: {
    first_name: " Jo ", last_name: "Doe", emails: [{ type: "home", value: "x@example.com" }, { type: "work", value: "w@example.com" }], phones: [{ type: "m", value: "1" }, { type: "h", value: "2" }], stage: "onsite",
    applications: [1, 2, 3, 4].map((n) => ({ date: `2026-01-0${n}`, status: n % 2 ? "active" : "closed", job: { title: `Job ${n}` } })), tags: [{ name: "a" }, { name: "b" }, { name: "c" }],
    created_at: "2026-03-01T00:00:00.000Z", addresses: [{ city: "Leeds" }], source: "board/uk",
  },
};

const AGGREGATE: Mapping = {
  name: "aggregates, 20 lines", wanted: 10,
  fields: {
    total: "$sum(lines.(qty * price))", by_category: "lines{ category: $sum(qty) }", big: '$map(lines[qty > 2], function($l){ { "sku": $l.sku, "value": $l.qty * $l.price } })',
    average: "$average(lines.price)", labels: "lines.($s := sku; $$.names[code = $s].label)", pieces: "$reduce(lines.qty, function($a, $b){ $a + $b })",
  },
  record: { lines: Array.from({ length: 20 }, (_, n) => ({ sku: `s${n}`, qty: n % 5, price: n * 1.5, category: `c${n % 3}` })), names: Array.from({ length: 20 }, (_, n) => ({ code: `s${n}`, label: `L${n}` })) },
};

const ROUNDS = 9;
/** Milliseconds one engine works in one round. */
const TURN = 150;

async function rate(work: () => unknown): Promise<number> {
  const begun = performance.now();
  let count = 0;
  for (; performance.now() - begun < TURN; count += 20) for (let turn = 0; turn < 20; turn++) await work();
  return count / (performance.now() - begun) * 1000;
}

/** As `rate`, without a promise per evaluation: ours gives none. */
function rateNow(work: () => unknown): number {
  const begun = performance.now();
  let count = 0;
  for (; performance.now() - begun < TURN; count += 20) for (let turn = 0; turn < 20; turn++) work();
  return count / (performance.now() - begun) * 1000;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;

const rows = [];
for (const { name, wanted, fields, record } of [FLAT, NESTED, AGGREGATE]) {
  const ours = compileFields(Object.fromEntries(Object.entries(fields).map(([field, expression]) => [field, { expression }])));
  // The reference evaluates all fields in one expression, which is its fastest way.
  const theirs = jsonata(`{ ${Object.entries(fields).map(([field, expression]) => `"${field}": (${expression})`).join(", ")} }`);
  const same = isDeepStrictEqual((await ours.evaluate(record)).value, JSON.parse(JSON.stringify(await theirs.evaluate(record))));
  const measured = [];
  for (let round = 0; round < ROUNDS; round++) measured.push({ ours: rateNow(() => ours.evaluate(record)), theirs: await rate(() => theirs.evaluate(record)) });
  const ratio = median(measured.map((round) => round.ours / round.theirs));
  rows.push({ mapping: name, "ours/s": Math.round(median(measured.map((round) => round.ours))), "reference/s": Math.round(median(measured.map((round) => round.theirs))), ratio: Math.round(ratio * 10) / 10, wanted, "same result": same });
  if (!same || ratio < wanted) process.exitCode = 1;
}
console.table(rows);
