import { expect, test } from "vitest";
import { checkTemplate, compileTemplate, ExpressionError, type TemplateSink } from "../../../engine/expression/index.ts";

const render = (text: string, variables: Record<string, unknown>, sink: TemplateSink = "text") => compileTemplate(text, sink).render(variables);
const refusal = (run: () => unknown): string => {
  try { run(); } catch (thrown) { if (thrown instanceof ExpressionError) return thrown.problem.code; throw thrown; }
  return "nothing was refused";
};

test("a text without braces is itself", () => {
  expect(render("/users/?page={1}", {})).toBe("/users/?page={1}");
});

test.each<[TemplateSink, string, string]>([
  ["text", "O'Brien & <Co>", "O'Brien & <Co>"],
  ["query", "a&b=c d", "a&b=c d"],
  ["path", "a/b c?d", "a%2Fb%20c%3Fd"],
  ["header", "Token é", "Token é"],
  ["xml", "O'Brien & <\"Co\">", "O&apos;Brien &amp; &lt;&quot;Co&quot;&gt;"],
  ["html", "O'Brien & <Co>", "O&#39;Brien &amp; &lt;Co&gt;"],
  ["sql", "O'Brien", "O''Brien"],
])("in %s, %s is written %s", (sink, value, expected) => {
  expect(render("[{{x}}]", { x: value }, sink)).toBe(`[${expected}]`);
});

test.each<[TemplateSink, string]>([
  ["path", ""], ["path", "."], ["path", ".."], ["url", ".."],
  ["header", "a\r\nX: b"], ["header", "a\nb"], ["header", "a\u0000"], ["header", "漢"],
  ["xml", "a\u0008b"],
])("%s refuses %j", (sink, value) => {
  expect(refusal(() => render("x{{x}}", { x: value }, sink))).toBe("SINK");
});

test("at the start of an address a value is the address, behind it one part of it", () => {
  expect(render("{{base}}/v2/{{id}}", { base: "https://api.example.com/x", id: "a/b" }, "url")).toBe("https://api.example.com/x/v2/a%2Fb");
  expect(render("https://{{host}}/ccx", { host: "evil.example.com/@" }, "url")).toBe("https://evil.example.com%2F%40/ccx");
  for (const base of ["javascript:alert(1)", "file:///etc/passwd", "https://a b", "//x"]) expect(refusal(() => render("{{base}}/v2", { base }, "url"))).toBe("SINK");
});

test("an inserted value that is absent or null makes the whole absent; inside a condition absence is false", () => {
  expect(render("gte|{{cursor.from}}", {})).toBeUndefined();
  expect(render("gte|{{cursor.from}}", { cursor: { from: null } })).toBeUndefined();
  expect(render("a{{#if cursor.from}} from {{cursor.from}}{{/if}}", {})).toBe("a");
  expect(render("a{{#if x}}b{{else if y}}c{{else}}d{{/if}}", { y: 1 })).toBe("ac");
  expect(render("{{#unless x}}none{{/unless}}{{#each list}}{{this}}{{/each}}", {})).toBe("none");
  expect(render("{{lower x}}", {})).toBeUndefined();
  expect(render("{{x}}{{y}}", { x: false, y: 0 })).toBe("false0");
});

test("blocks, indexes, outer values and block parameters work", () => {
  expect(render("{{#each items as |item i|}}{{i}}:{{item.name}}{{../sep}}{{/each}}", { items: [{ name: "a" }, { name: "b" }], sep: ";" })).toBe("0:a;1:b;");
  expect(render("{{#with a}}{{b}}{{@root.c}}{{/with}}{{lookup a k}}", { a: { b: 1 }, c: 2, k: "b" })).toBe("121");
});

test("nothing but own properties is reached, and nothing is logged", () => {
  const inherited = Object.create({ secret: "s" }) as Record<string, unknown>;
  for (const path of ["constructor", "__proto__", "__proto__.polluted", "toString", "x.constructor.name", "x.secret", "__lookupGetter__"]) expect(render(`{{${path}}}`, { x: inherited }), path).toBeUndefined();
  expect(render("{{lookup x 'constructor'}}", { x: {} })).toBeUndefined();
});

test("objects and lists are refused as text, and json writes them", () => {
  expect(refusal(() => render("{{x}}", { x: [1] }))).toBe("TEMPLATE");
  expect(render("{{json x}}", { x: { a: [1] } })).toBe('{"a":[1]}');
});

test("loops and texts have limits", () => {
  const list = Array.from({ length: 1000 }, (_item, index) => index);
  expect(refusal(() => render("{{#each l}}{{#each @root.l}}{{/each}}{{/each}}", { l: list }))).toBe("LIMIT");
  expect(refusal(() => render("{{#each l}}{{@root.x}}{{/each}}", { l: list, x: "x".repeat(100_000) }))).toBe("LIMIT");
  expect(render("{{#each l}}{{#if this}}{{else}}zero{{/if}}{{/each}}", { l: list })).toBe("zero");
});

test("templates call the library", () => {
  expect(render("'{{sql name}}' {{lower code}} {{upper code}} {{next_day}}", { name: "O'B", code: "Ab", now: 0 })).toBe("'O''B' ab AB 1970-01-02T00:00:00.000Z");
});

test.each([
  ["a {{b", 4], ["{{#if x}}a", 10], ["a\n {{#if x}}b{{/each}}", 6], ["a\nbc {{a..}b}} d", 10],
  ["{{> partial}}", 0], ["{{{x}}}", 0], ["{{&x}}", 0], ["x {{nope y}}", 4], ["{{#nope x}}{{/nope}}", 3], ["{{lower x k=1}}", 10], ["{{* d}}", 0], ["{{log x}}", 2],
])("checking %j points at %i", (text, position) => {
  expect(checkTemplate(text)[0]).toMatchObject({ code: "TEMPLATE", position });
  expect(() => compileTemplate(text, "text")).toThrow(ExpressionError);
});

test("a template says which variables it reads", () => {
  const { reads } = compileTemplate("{{config.key}}{{#each a.b as |q|}}{{q.r}}{{s}}{{../w}}{{@root.z}}{{@index}}{{/each}}{{#if (lookup k l)}}{{/if}}", "text");
  expect(reads).toEqual([["a", "b", "r"], ["a", "b", "s"], ["a", "b"], ["config", "key"], ["k"], ["l"], ["w"], ["z"]]);
});

test("what the manifest's author gave with `with` may hold slashes; what a record or a customer gave may not", () => {
  const template = compileTemplate("/crm/{{with.path}}/{{key}}", "path");
  expect(template.render({ with: { path: "v3/objects/a b" }, key: "x/y" })).toBe("/crm/v3/objects/a%20b/x%2Fy");
  expect(() => template.render({ with: { path: "v3/../admin" }, key: "1" })).toThrow();
});

test("a template of names only says what Handlebars would make of it, for every sink and value", () => {
  const texts = ["{{a}}", "x{{a.b}}y{{c}}", "{{~a.b~}} z", " {{ with.path }}/{{a.b}}", "{{a.[0]}}", "{{a.length}}", "{{./a}}{{this.c}}", "{{config.base_url}}/v2/{{a}}", "{{toString}}{{a.constructor}}", "{{!-- said --}}{{c}}"];
  const values: unknown[] = ["p/q r", "", "..", "ä<'&\"\r", "https://h.example/", 0, -1.5, true, false, null, undefined, ["l0", "l1"], { b: "bb", length: 2 }, { b: null }, () => "called", 10n];
  const outcome = (template: ReturnType<typeof compileTemplate>, variables: Record<string, unknown>): unknown => {
    try {
      return template.render(variables) ?? "(absent)";
    } catch (thrown) {
      return (thrown as ExpressionError).problem;
    }
  };
  let compared = 0;
  for (const text of texts) {
    for (const sink of ["text", "query", "path", "url", "header", "xml", "sql", "html"] as const) {
      // A block makes it one that Handlebars renders.
      const [ours, theirs] = [compileTemplate(text, sink), compileTemplate(`${text}{{#if never}}{{/if}}`, sink)];
      for (const value of values) {
        const variables = { a: value, c: value, with: { path: value }, config: { base_url: value } };
        expect(outcome(ours, variables), `${text} into ${sink} with ${String(value)}`).toEqual(outcome(theirs, variables));
        compared++;
      }
    }
  }
  expect(compared).toBe(texts.length * 8 * values.length);
});
