/** An organisation as it is entered in three steps, checked field by field, and the file it becomes. */
import { stringify } from "yaml";
import type { ErrorCode } from "../../engine/errors/catalog.ts";
import { suggest } from "../../engine/errors/nearest.ts";
import { hintOf, messageOf, type ErrorParams, type Problem } from "../../engine/errors/plugboard-error.ts";
import { isSubdomain, RESERVED_SUBDOMAINS } from "../../engine/manifest/subdomains.ts";
import { validateWorkspace, type Json, type Workspace } from "../../engine/manifest/index.ts";
import { listPresets, resolvePlan, type TenantPlan } from "../../engine/plan/index.ts";
import { PLATFORM } from "../../engine/store/index.ts";
import type { ValueProblem } from "../api/errors.ts";
import { tenantFile, withFile, type Head } from "./configuration.ts";

export interface Organisation {
  // 1: who it is
  readonly name: string;
  /** @default made of the name */
  readonly id?: string;
  readonly subdomain: string;
  /** Entity → most rows: `{ learners: 500 }`. */
  readonly limits?: Readonly<Record<string, number>>;
  // 2: what it connects
  /** `aptem-hubspot`, its newest release, or one: `aptem-hubspot@3`. @default asked for */
  readonly preset: string;
  readonly inputs?: Readonly<Record<string, Json>>;
  // 3: whom to bill, and who is invited
  readonly billing?: { readonly name?: string; readonly email?: string; readonly reference?: string; readonly address?: string };
  readonly administrator?: { readonly email: string; readonly name?: string };
}

export interface Checked {
  readonly id: string;
  /** With its release. */
  readonly preset: string;
  readonly file: string;
  readonly text: string;
  readonly problems: readonly ValueProblem[];
  /** What it will run; absent while something is wrong. */
  readonly plan?: TenantPlan;
}

const MAX_ID = 63;
/** The operator's own tenant, and what the API calls the form of a new one. */
const RESERVED_IDS: ReadonlySet<string> = new Set([PLATFORM, "new"]);

/** `Acme Training Ltd` → `acme-training-ltd`. */
export function idOf(name: string): string {
  const plain = name.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^[^a-z]+|-+$/g, "");
  return plain.slice(0, MAX_ID).replace(/-+$/, "");
}

/** Everything that is wrong, told together. @param taken who has a name by now, beside the workspace's tenants */
export function checkOrganisation({ trees, workspace }: Head, entered: Organisation, taken: { readonly ids: ReadonlySet<string>; readonly subdomains: ReadonlySet<string> }): Checked {
  const problems: ValueProblem[] = [];
  const report = (code: ErrorCode, field: string, params: ErrorParams): void => {
    const hint = hintOf(code, params);
    problems.push({ code, field, pointer: `/${field.replaceAll(".", "/")}`, message: messageOf(code, params), ...(hint === undefined || hint === "" ? {} : { hint }) });
  };
  const wrong = (field: string, expected: string, suggestion = ""): void => report("SERVER_WRONG_VALUE", field, { field, expected, suggestion });

  const id = entered.id ?? idOf(entered.name);
  if (entered.name.trim() === "") wrong("name", "the organisation's name");
  if (!/^[a-z][a-z0-9_-]*$/.test(id) || id.length > MAX_ID) wrong("id", `letters, digits, '-' and '_', a letter first, at most ${MAX_ID} characters`, entered.id === undefined ? "The name gives none: enter one." : idOf(entered.id) && `For example ${idOf(entered.id)}.`);
  else if (RESERVED_IDS.has(id)) report("TENANT_RESERVED", "id", { value: id, suggestion: "Choose another." });
  else if (workspace.tenants.has(id) || taken.ids.has(id)) report("TENANT_TAKEN", "id", { field: "id", value: id });

  const { subdomain } = entered;
  const ofWorkspace = new Set([...workspace.tenants.values()].map(({ value }) => value["subdomain"]));
  if (!isSubdomain(subdomain)) wrong("subdomain", "letters, digits and inner hyphens, at most 63 characters", idOf(subdomain) && `For example ${idOf(subdomain).replaceAll("_", "-")}.`);
  else if (RESERVED_SUBDOMAINS.has(subdomain)) report("TENANT_RESERVED", "subdomain", { value: subdomain, suggestion: `Choose another, ${id} perhaps.` });
  else if (ofWorkspace.has(subdomain) || taken.subdomains.has(subdomain)) report("TENANT_TAKEN", "subdomain", { field: "subdomain", value: subdomain });

  const preset = pinOf(workspace, entered.preset, report);
  for (const [field, email] of [["billing.email", entered.billing?.email], ["administrator.email", entered.administrator?.email]] as const) {
    if (email !== undefined && !isEmail(email)) wrong(field, "an e-mail address");
  }

  const file = tenantFile(id);
  const text = textOf(id, entered, preset ?? entered.preset);
  if (problems.length > 0) return { id, preset: preset ?? entered.preset, file, text, problems };

  const after = withFile(trees, file, text);
  const { plan, problems: planned } = resolvePlan(after, id);
  const known = new Set(workspace.problems.map(placeOf));
  for (const problem of [...validateWorkspace(after), ...planned].filter((each) => each.severity === "error" && isOfFile(each, file) && !known.has(placeOf(each)))) {
    const { code, params, pointer } = problem;
    const [room = "", ...rest] = (code === "MANIFEST_MISSING_FIELD" && String(params["field"]).startsWith("inputs.") ? `/${String(params["field"]).replace(".", "/")}` : pointer ?? "").split("/").slice(1);
    const field = [room === "title" ? "name" : room, ...rest].filter(Boolean).join(".") || "preset";
    if (!problems.some((other) => other.code === code && other.field === field)) report(code, field, params);
  }
  return { id, preset: preset!, file, text, problems, ...(problems.length === 0 ? { plan } : {}) };
}

/** New tenants get the newest release; a preset without one is followed by its head. */
function pinOf(workspace: Workspace, asked: string, report: (code: ErrorCode, field: string, params: ErrorParams) => void): string | undefined {
  const [id = "", release] = asked.split("@");
  const known = listPresets(workspace);
  const preset = known.find((each) => each.id === id);
  if (!preset) return void report("MANIFEST_UNKNOWN_REFERENCE", "preset", { kind: "Preset", name: asked, suggestion: suggest(id, known.map((each) => each.id)) });
  if (release === undefined) return preset.releases.length === 0 ? id : `${id}@${preset.releases.at(-1)!}`;
  if (!preset.releases.includes(Number(release))) return void report("MANIFEST_UNKNOWN_REFERENCE", "preset", { kind: "Release", name: asked, suggestion: suggest(asked, preset.releases.map((number) => `${id}@${number}`)) });
  return asked;
}

function textOf(id: string, { name, subdomain, limits, inputs }: Organisation, preset: string): string {
  const said = { tenant: id, title: name.trim(), subdomain, preset, ...(isEmpty(inputs) ? {} : { inputs }), ...(isEmpty(limits) ? {} : { limits }) };
  return `# yaml-language-server: $schema=../schemas/tenant.schema.json\n${stringify(said, { lineWidth: 0 })}`;
}

const isEmpty = (value: object | undefined): boolean => value === undefined || Object.keys(value).length === 0;
const isOfFile = ({ at }: Problem, file: string): boolean => at?.file === file || at?.file.endsWith(`/${file}`) === true;
const placeOf = ({ code, at, params }: Problem): string => JSON.stringify([code, at?.file, at?.line, params]);

/** Somebody at a host: whether it is theirs only a message to it can tell. */
export const isEmail = (text: string): boolean => text.length <= 254 && /^[^\s@<>",;:\\]+@[^\s@<>",;:\\]+\.[^\s@<>",;:\\.]+$/.test(text);
