import { describe as group, expect, test } from "vitest";
import { lintKey, lintMapping, lintRule, type MappingText } from "../../../../engine/expression/types-of/index.ts";
import { PLANTED_MISTAKES } from "./planted-mistakes.ts";
import { SOURCE, TARGET } from "./source-and-target.ts";

/** A mapping that is right, so that one mistake in it is the only one. */
const RIGHT: Readonly<Record<string, { expression: string }>> = { title: { expression: "name" }, stage: { expression: "status = 'open' ? 'open' : 'closed'" } };

const lintField = (field: string, expression: string, more: Partial<MappingText> = {}) =>
  lintMapping({ ...more, ...(field === "where" ? { where: expression } : {}), fields: { ...RIGHT, ...more.fields, ...(field === "where" ? {} : { [field]: { expression } }) } }, SOURCE, TARGET);

group("each planted mistake is found, with its code, at its place", () => {
  test("there are at least forty", () => expect(PLANTED_MISTAKES.length).toBeGreaterThanOrEqual(40));

  test.each(PLANTED_MISTAKES.map((mistake) => [mistake.what, mistake] as const))("%s", (_, { field, expression, code, names }) => {
    const start = expression.indexOf("«");
    const end = expression.indexOf("»") - 1;
    const found = lintField(field, expression.replace(/[«»]/g, ""));
    const at = field === "where" ? "where" : `fields.${field}`;
    expect(found.map((one) => ({ at: one.at, code: one.code, start: one.start, end: one.end }))).toContainEqual({ at, code, start, end });
    expect(found.every((one) => one.at === at)).toBe(true);
    if (names !== undefined) expect(`${found[0]!.message} ${found[0]!.hint ?? ""}`).toContain(names);
  });
});

group("what is right is left alone", () => {
  test.each([
    ["title", "nickname ? nickname : name"],
    ["title", "email ?? name"],
    ["title", "$exists(email) ? $lowercase(email) : name"],
    ["title", "nickname ?: name"],
    ["title", "lines[0].sku"],
    ["title", "emails[type = 'work'] ? emails[type = 'work'][0].value : name"],
    ["title", "$exists(emails[type = 'work']) ? emails[type = 'work'][0].value : name"],
    ["title", "$count(tags) > 0 ? tags[0] : name"],
    ["title", "lines[-1].sku"],
    ["title", "tags ? tags[0] : name"],
    ["title", "emails[0].value ? emails[0].value : name"],
    ["title", "emails[0].value != null ? emails[0].value : name"],
    ["title", "$exists(tags[0]) ? tags[0] : name"],
    ["title", "$not($exists(email)) ? name : email"],
    ["title", "$exists(email) = false ? name : email"],
    ["title", "$boolean(nickname) = true ? nickname : name"],
    ["title", "$exists(email) and email != '' ? email : name"],
    ["title", "$trim(name & ' ' & (nickname ? nickname))"],
    ["title", "$join([name, nickname ? nickname], ' ')"],
    ["title", "lines.sku ~> $distinct() ~> $join(',')"],
    ["title", "$sort(lines.sku)[0]"],
    ["title", "$lowercase(status) = 'won' ? 'W' : name"],
    ["stage", "$lookup({ 'open': 'open', 'won': 'closed', 'lost': 'closed' }, status)"],
    ["stage", "$lookup({ 'A': 'open', 'B': 'closed' }, name)"],
    ["stage", "$translate(name, { 'A': 'open', 'B': 'closed' })"],
    ["stage", "active ? 'open' : 'closed'"],
    ["note", "$not(nickname) ? 'none' : nickname"],
    ["note", "($n := nickname; $n ? $uppercase($n))"],
    ["note", "owner != null and owner.name ? owner.name"],
    ["note", "(emails[type = 'home'][0]).value"],
    ["amount", "$round(total * 1.2, 2)"],
    ["amount", "$sum(lines[price > 10].price)"],
    ["amount", "$number($replace(name, ',', '.'))"],
    ["amount", "discount ? discount : 0"],
    ["count", "$floor($toMillis(created_at) / 1000)"],
    ["at", "$fromMillis(id * 1000)"],
    ["at", "born_on & 'T00:00:00Z'"],
    ["title", "$trim(email) ? $trim(email) : name"],
    ["title", "$join(lines.sku, ', ')"],
    ["title", "name & (nickname ? ' (' & nickname & ')')"],
    ["note", "nickname != null and $length(nickname) > 3 ? nickname"],
    ["note", "$presence(nickname)"],
    ["note", "$type(nickname) = 'string' ? $uppercase(nickname)"],
    ["note", "$not(nickname = null) ? nickname"],
    ["note", "owner.name"],
    ["note", "owner ? owner.name : 'nobody'"],
    ["note", "address.country ? address.country"],
    ["note", "(address.country) ? $uppercase(address.country)"],
    ["note", "custom.anything.at.all"],
    ["note", "custom.anything ? $lowercase(custom.anything)"],
    ["note", "$string(id)"],
    ["note", "id & ''"],
    ["note", "$config.prefix & name"],
    ["note", "emails[type = 'work'][0].value"],
    ["note", "(emails[type = 'work'].value)[0]"],
    ["note", "$join(emails.value, ', ')"],
    ["note", "$join(tags, ',')"],
    ["note", "tags[0]"],
    ["note", "$count(emails) > 0 ? emails[0].value"],
    ["note", "status = 'open' ? 'o' : status = 'won' ? 'w' : 'l'"],
    ["note", "$lookup({ 'open': 'Open', 'won': 'Won', 'lost': 'Lost' }, status)"],
    ["note", "$translate(status, { 'open': 'Open' }, 'Other')"],
    ["note", "priority in ['low', 'high'] ? priority"],
    ["note", "priority = 'low' ? 'l' : 'h'"],
    ["note", "($first := $substring(name, 0, 1); $rest := $substring(name, 1); $uppercase($first) & $rest)"],
    ["note", "($f := function($x){ $x ? $lowercase($x) : '' }; $f(nickname))"],
    ["note", "$map(tags, $uppercase) ~> $join(' ')"],
    ["note", "lines^(>price)[0].sku"],
    ["note", "$reduce(tags, function($all, $tag){ $all & '#' & $tag }, '')"],
    ["note", "$replace(name, /[^a-z]+/i, '-')"],
    ["note", "$split(name, ' ')[0]"],
    ["note", "$formatNumber(total, '#,##0.00')"],
    ["note", "$error('no')"],
    ["note", "`name`"],
    ["note", "$.name"],
    ["note", "$$.address.city"],
    ["note_or_null", "nickname"],
    ["note_or_null", "priority"],
    ["email", "$lowercase($trim(email))"],
    ["email", "emails[0].value"],
    ["email", "$email(name)"],
    ["amount", "$sum(lines.price)"],
    ["amount", "$sum(lines.(price * 2))"],
    ["amount", "discount != null ? total - discount : total"],
    ["amount", "total - (discount ? discount : 0)"],
    ["amount", "$max(lines.price)"],
    ["amount", "$number(name)"],
    ["amount", "quantity / 3"],
    ["amount", "lines.price ~> $sum()"],
    ["count", "quantity"],
    ["count", "quantity + 1"],
    ["count", "$count(emails)"],
    ["count", "$round(total)"],
    ["count", "$length(name)"],
    ["is_active", "active"],
    ["is_active", "'new' in tags"],
    ["is_active", "status != 'lost'"],
    ["is_active", "nickname = null"],
    ["is_active", "discount != null and discount >= 10"],
    ["is_active", "$boolean(nickname)"],
    ["is_active", "born_on < '2000-01-01'"],
    ["is_active", "created_at > $now()"],
    ["is_active", "id = 5 or id in [6, 7]"],
    ["is_active", "$contains(name, 'x')"],
    ["day", "born_on"],
    ["day", "$substring(created_at, 0, 10)"],
    ["day", "$date_in(created_at, 'Europe/London')"],
    ["at", "created_at"],
    ["at", "$now()"],
    ["at", "$parse_datetime(meeting_at, '', 'Europe/London')"],
    ["at", "$parse_datetime(name, 'dd/MM/yyyy HH:mm ZZ')"],
    ["at", "$fromMillis($toMillis(created_at) + 3600000)"],
    ["at", "$add_duration(created_at, 'P1D')"],
    ["tags", "tags"],
    ["tags", "lines.sku[]"],
    ["tags", "[lines.sku]"],
    ["tags", "[name, status]"],
    ["tags", "[tags, name]"],
    ["tags", "$append([tags], name)"],
    ["tags", "$split(name, ',')"],
    ["tags", "$map(lines, function($line){ $line.sku })[]"],
    ["place", "{ 'city': address.city }"],
    ["place", "address.{ 'city': city, 'code': 1 }"],
    ["custom", "{ 'lines': [lines.{ 'sku': sku }] }"],
    ["custom", "lines{ sku: price }"],
    ["product", "($byId := products{ $string(id): title }; $lookup($byId, $string(lines[0].product_id)))"],
    ["note", "lines@$l.products@$p[$l.product_id = $p.id].title"],
    ["note", "lines.%.name"],
    ["note", "$eval('1')"],
    ["note", "**.anything"],
    ["where", "status in ['open', 'won'] and quantity > 0"],
    ["where", "$boolean(nickname)"],
    ["where", "$not(active = true)"],
    ["where", "custom.deleted != true"],
  ])("%s: %s", (field, expression) => {
    expect(lintField(field, expression).map(({ at, code, message }) => `${at} ${code} ${message}`)).toEqual([]);
  });

  test("what where says of a record holds in its fields", () => {
    const fields = { title: { expression: "nickname" }, note: { expression: "$lowercase(email)" } };
    expect(lintField("where", "nickname and email", { fields })).toEqual([]);
    expect(lintField("where", "$boolean(nickname) and email != ''", { fields })).toEqual([]);
    expect(lintField("where", "nickname or email", { fields })).not.toEqual([]);
    expect(lintField("where", "$count(emails[type = 'work']) > 0", { fields: { title: { expression: "emails[type = 'work'][0].value" } } })).toEqual([]);
    expect(lintField("where", "nickname or email", { fields: { title: { expression: "email ? email : nickname" } } })).toEqual([]);
    expect(lintField("where", "status = 'open'", { fields: { title: { expression: "status = 'open' ? name" } } })).toEqual([]);
  });

  test("without a schema of the source nothing is said of it", () => {
    expect(lintMapping({ fields: { title: { expression: "a.b.c" }, stage: { expression: "$lookup({'x': 'open'}, y)" }, note: { expression: "a + b & c[d = 1].e" } } }, undefined, TARGET)).toEqual([]);
  });

  test("what an unknown source may lack is not claimed, and what the expression itself leaves open is", () => {
    const title = (expression: string) => lintMapping({ fields: { ...RIGHT, title: { expression } } }, undefined, TARGET).map(({ code }) => code);
    expect(title("a ? $lowercase(a)")).toEqual([]);
    expect(title("a = 1 and b ? 'x'")).toEqual([]);
    expect(title("5 + 1")).toEqual(["LINT_WRONG_TYPE"]);
    expect(title("($x := 5; 'a')")).toEqual(["LINT_UNUSED_BINDING"]);
  });

  test("a field that does not parse has no lints, because parse tells", () => {
    expect(lintField("note", "nicknam + ")).toEqual([]);
  });
});

group("a whole mapping", () => {
  test("a required field that nobody maps is found, with the field of the source that it is probably made from", () => {
    const [found, ...others] = lintMapping({ fields: { stage: { constant: true } } }, { type: "object", properties: { properties: { type: "object", properties: { titel: { type: "string" } } } } }, { ...(TARGET as object), properties: { title: { type: "string" }, stage: { type: "boolean" } } });
    expect(found).toMatchObject({ code: "LINT_REQUIRED_UNMAPPED", severity: "error", at: "fields", params: { field: "title" }, hint: "Add it: title: properties.titel" });
    expect(others).toEqual([]);
  });

  test("constants are checked too", () => {
    expect(lintMapping({ fields: { ...RIGHT, note: { constant: 5 } } }, SOURCE, TARGET)).toMatchObject([{ code: "LINT_WRONG_TYPE", at: "fields.note" }]);
    expect(lintMapping({ fields: { ...RIGHT, count: { constant: 1.5 } } }, SOURCE, TARGET)).toMatchObject([{ code: "LINT_LOSSY_NUMBER" }]);
  });

  test("a reference needs a key that is one text or number, and the same tomorrow", () => {
    const keyed = (key: string) => lintMapping({ fields: { ...RIGHT, product: { ref: "product", key } } }, SOURCE, TARGET).map(({ code, start, end }) => [code, key.slice(start, end)]);
    expect(keyed("lines[0].product_id")).toEqual([]);
    expect(keyed("lines.product_id")).toEqual([["LINT_LIST_TRAP", "lines.product_id"]]);
    expect(keyed("id & '/' & $now()")).toEqual([["LINT_UNSTABLE_KEY", "$now()"]]);
    expect(keyed("active")).toEqual([["LINT_WRONG_TYPE", "active"]]);
  });

  test("a field that records are found by must not be random", () => {
    const fields = { ...RIGHT, note: { expression: "$uuid()" } };
    expect(lintMapping({ fields }, SOURCE, TARGET)).toEqual([]);
    expect(lintMapping({ fields }, SOURCE, TARGET, { keys: ["note"] })).toMatchObject([{ code: "LINT_UNSTABLE_KEY", at: "fields.note" }]);
    expect(lintKey("id & $random()")).toMatchObject([{ code: "LINT_UNSTABLE_KEY", start: 5, end: 14 }]);
    expect(lintKey("$hash(email)")).toEqual([]);
  });

  test("samples add what the schema does not say", () => {
    const mapping = { fields: { ...RIGHT, note: { expression: "$lowercase(address.city)" }, tags: { expression: "extra.labels" } } };
    expect(lintMapping(mapping, SOURCE, TARGET)).toMatchObject([{ code: "LINT_UNKNOWN_FIELD" }]);
    const samples = [{ address: { city: null }, extra: { labels: ["a"] } }];
    expect(lintMapping(mapping, SOURCE, TARGET, { samples })).toMatchObject([{ code: "LINT_WRONG_TYPE", at: "fields.note", start: 11, end: 23 }]);
  });
});

group("records of tests", () => {
  const target = { type: "object", required: ["name"], additionalProperties: false, properties: { name: { type: "string" }, size: { type: "number" } } };

  test("show types, and what one leaves out may be there all the same", () => {
    const excerpts = [{ name: "Acme", size: "12" }, { size: "13" }];
    const mapping: MappingText = { fields: { name: { expression: "name" }, size: { expression: "size" } } };
    expect(lintMapping(mapping, undefined, target, { excerpts })).toMatchObject([{ code: "LINT_WRONG_TYPE", at: "fields.size", start: 0, end: 4 }]);
    expect(lintMapping(mapping, undefined, target, { samples: excerpts }).map(({ code }) => code)).toEqual(["LINT_POSSIBLY_ABSENT", "LINT_WRONG_TYPE"]);
  });

  test("make a field known that an open schema does not list", () => {
    const source = { type: "object", additionalProperties: true, required: ["full_name"], properties: { full_name: { type: "string" } } };
    const mapping: MappingText = { fields: { name: { expression: "Full_name" } } };
    expect(lintMapping(mapping, source, target).map(({ code, hint }) => [code, hint])).toEqual([["LINT_UNKNOWN_FIELD", "did you mean 'full_name'?"]]);
    expect(lintMapping(mapping, source, target, { excerpts: [{ Full_name: "A" }] })).toEqual([]);
  });

  test("a rule that keeps nothing hides no mistake of a field", () => {
    const source = { type: "object", required: ["kind"], properties: { kind: { enum: ["a", "b"] }, title: { type: "string" } } };
    expect(lintMapping({ where: "kind = 'c'", fields: { name: { expression: "titel" } } }, source, target).map(({ at, code }) => `${at} ${code}`)).toEqual(expect.arrayContaining(["where LINT_NEVER_TRUE", "fields.name LINT_UNKNOWN_FIELD"]));
  });
});

group("a rule of a change flow", () => {
  test("one that compares before with != never fires for a new row", () => {
    const rule = "after.status = 'won' and before.status != 'won'";
    expect(lintRule(rule, SOURCE)).toMatchObject([{ code: "LINT_NEVER_TRUE", severity: "warning", start: 0, end: rule.length }]);
    expect(lintRule("after.status = 'won' and $not(before.status = 'won')", SOURCE)).toEqual([]);
    expect(lintRule("status = 'won'", SOURCE)).toEqual([]);
  });

  test("one that asks for rows that were there before means it", () => {
    expect(lintRule("before.status = 'lost' and after.status = 'won'", SOURCE)).toEqual([]);
    expect(lintRule("$before.status = 'lost' and $after.status != 'lost'", SOURCE)).toEqual([]);
  });

  test("one that no row fulfils is an error", () => {
    expect(lintRule("status = 'done'", SOURCE).map(({ code, severity }) => [code, severity])).toEqual([["LINT_UNKNOWN_VALUE", "warning"], ["LINT_NEVER_TRUE", "error"]]);
  });
});
