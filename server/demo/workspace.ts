/**
 * The demo's workspace: a real Git repository, laid over the built-in catalogue. It points the four connectors at the
 * stand-ins and brings three customers. What a person changes there stays: only files that the demo wrote, and nobody
 * changed since, are written again when the stand-ins' addresses move.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import fs from "node:fs";
import path from "node:path";
import git from "isomorphic-git";
import type { Json, JsonObject } from "../../engine/manifest/types.ts";
import { ACCESS } from "./data.ts";
import type { ProviderName } from "./memory.ts";

export type ProviderUrls = Readonly<Record<ProviderName, string>>;

export interface DemoConnection {
  readonly tenant: string;
  readonly connection: string;
  /** What a person would enter when connecting. */
  readonly config: JsonObject;
  readonly secrets: Readonly<Record<string, string>>;
  /** What its check would find: webhooks for all customers find the connection by it. */
  readonly account?: { readonly id: string; readonly label?: string };
}

const AUTHOR = { name: "Plugboard demo", email: "demo@plugboard.invalid" };

export interface DemoWorkspace {
  readonly commit: string;
  readonly changed: readonly string[];
  /** Files that a person changed so much that the addresses in them could not be brought up to date. */
  readonly leftAlone: readonly string[];
}

/** Makes the repository, or brings its addresses up to date; a commit is made only when a file changed. */
export async function makeDemoWorkspace(folder: string, urls: ProviderUrls): Promise<DemoWorkspace> {
  const repository = { fs, dir: folder };
  const fresh = !existsSync(path.join(folder, ".git"));
  if (fresh) {
    await mkdir(folder, { recursive: true });
    await git.init({ ...repository, defaultBranch: "main" });
  }
  const changed: string[] = [];
  const leftAlone: string[] = [];
  for (const [file, text] of Object.entries(files(urls))) {
    if (!fresh && !MOVES_WITH_URLS.has(file)) continue;
    const at = path.join(folder, file);
    const old = existsSync(at) ? await readFile(at, "utf8") : undefined;
    if (old === undefined && !fresh) continue;               // removed by hand
    const next = old === undefined || fresh ? text : moveAddresses(old, text);
    if (next === undefined) leftAlone.push(file);
    if (next === undefined || next === old) continue;
    await mkdir(path.dirname(at), { recursive: true });
    await writeFile(at, next);
    await git.add({ ...repository, filepath: file });
    changed.push(file);
  }
  const message = fresh ? "Start the demo workspace: three customers, four providers" : "Follow the stand-in providers to their new ports";
  const commit = changed.length > 0 ? await git.commit({ ...repository, message, author: AUTHOR }) : await git.resolveRef({ ...repository, ref: "HEAD" });
  return { commit, changed, leftAlone };
}

/** What `start` stores as if it had been entered when connecting. */
export function demoCredentials(): DemoConnection[] {
  const { aptem, hubspot, greenhouse, wix } = ACCESS;
  return [
    { tenant: "acme", connection: "aptem", config: { tenant_host: "acme" }, secrets: { api_token: aptem.acme } },
    { tenant: "acme", connection: "hubspot", config: {}, secrets: { access_token: hubspot.token }, account: { id: String(hubspot.portalId), label: "app.hubspot.com" } },
    { tenant: "acme", connection: "wix", config: { site_id: wix.siteId, instance: wix.instanceId }, secrets: { api_key: wix.apiKey }, account: { id: wix.instanceId, label: wix.name } },
    { tenant: "brightpath", connection: "aptem", config: { tenant_host: "brightpath" }, secrets: { api_token: aptem.brightpath } },
    { tenant: "northwind", connection: "greenhouse", config: { client_id: greenhouse.clientId, user_id: greenhouse.userId as Json }, secrets: { client_secret: greenhouse.clientSecret, webhook_key: greenhouse.webhookKey }, account: { id: greenhouse.clientId } },
  ];
}

/** The flows that the demo runs and that must succeed. */
export const DEMO_FLOWS: readonly { readonly tenant: string; readonly flow: string }[] = [
  { tenant: "acme", flow: "learners" }, { tenant: "acme", flow: "employers" }, { tenant: "acme", flow: "aptem_employers" },
  { tenant: "acme", flow: "contacts" }, { tenant: "acme", flow: "wix_contacts" },
  { tenant: "brightpath", flow: "learners" }, { tenant: "brightpath", flow: "employers" },
  { tenant: "northwind", flow: "jobs" }, { tenant: "northwind", flow: "candidates" }, { tenant: "northwind", flow: "applications" },
];

const MOVES_WITH_URLS = new Set(["workspace.yaml", "connectors/aptem/connector.yaml", "connectors/hubspot/connector.yaml", "connectors/greenhouse/connector.yaml", "connectors/wix/connector.yaml"]);
const ADDRESS = /127\.0\.0\.1:\d+/g;

/** Takes the new addresses and keeps everything else of the file: a person may have changed it. Undefined when it has others than ours. */
function moveAddresses(old: string, text: string): string | undefined {
  const [before, after] = [old.match(ADDRESS) ?? [], text.match(ADDRESS) ?? []];
  if (before.length !== after.length) return undefined;
  let index = 0;
  return old.replace(ADDRESS, () => after[index++]!);
}

function files(urls: ProviderUrls): Record<string, string> {
  const host = (name: ProviderName) => new URL(urls[name]).host;
  return {
    "workspace.yaml": `# yaml-language-server: $schema=../../schemas/workspace.schema.json
name: Plugboard demo
catalogue: builtin                          # connectors, entities and presets that this workspace builds on
review: self                                # who approves a change: other (not its author) or self
egress:
  allow_private:                            # the stand-in providers; every other private address stays refused
    - ${host("aptem")}                       # Aptem
    - ${host("hubspot")}                       # HubSpot
    - ${host("greenhouse")}                       # Greenhouse
    - ${host("wix")}                       # Wix
`,
    "README.md": README,
    ".gitignore": ".plugboard/\n",
    "connectors/aptem/connector.yaml": `connector: aptem                            # laid over the catalogue's: only the address differs
http:
  base_url: "${urls.aptem}/{{config.tenant_host}}/odata/{{config.odata_version}}"
  hosts: ["127.0.0.1"]
`,
    "connectors/hubspot/connector.yaml": `connector: hubspot                          # laid over the catalogue's: only the addresses differ
http:
  base_url: ${urls.hubspot}
  hosts: ["127.0.0.1"]
  auth: { oauth: { authorize_url: "${urls.hubspot}/oauth/authorize", token_url: "${urls.hubspot}/oauth/v1/token" } }
`,
    "connectors/greenhouse/connector.yaml": `connector: greenhouse                       # laid over the catalogue's: only the addresses differ
http:
  base_url: ${urls.greenhouse}/v3
  hosts: ["127.0.0.1"]
  auth: { token_url: ${urls.greenhouse}/token }
`,
    "connectors/wix/connector.yaml": `connector: wix                              # laid over the catalogue's: only the address differs
http:
  base_url: ${urls.wix}
  hosts: ["127.0.0.1"]
`,
    "tenants/acme.yaml": `tenant: acme                                # only what differs from the preset
title: Acme Training Ltd
subdomain: acme
preset: aptem-hubspot
connections:
  aptem: { config: { tenant_host: acme } }
  wix:   { connector: wix }                 # Acme's site
entities:
  contact: { match: [email], prefer: newest }
flows:
  learners:
    from: { every: 15m }                    # the preset says hourly
    map: { fields: { custom.division: UserCustom_Division } }   # a column that only Acme has
  contacts:     { from: { stream: hubspot.contacts, every: 5m, sweep: 7d }, map: hubspot/contact, to: contact }
  wix_contacts: { from: { stream: wix.contacts, every: 5m, sweep: 7d }, map: wix/contact, to: contact }
  to_wix:                                   # whom both know is the same in both; nothing says what is an echo
    from: { change: contact, when: $exists(links.wix) }
    map: contact/wix
    to: { save: wix.contacts }
  to_hubspot:
    from: { change: contact, when: $exists(links.hubspot) }
    map: contact/hubspot
    to: { save: hubspot.contacts }
`,
    "tenants/brightpath.yaml": `tenant: brightpath
title: Brightpath Skills
subdomain: brightpath
preset: aptem
connections:
  aptem: { config: { tenant_host: brightpath } }
`,
    "tenants/northwind.yaml": `tenant: northwind
title: Northwind Talent
subdomain: northwind
preset: greenhouse
flows:
  stage_notes:                              # a note in the ATS whenever an application moves on, once somebody has read it
    from: { change: application, when: $boolean(before) and $not(after.stage_id = before.stage_id) }
    hold_for: recruiter
    map: application/stage-note
    to: { action: greenhouse.add_note }
`,
    "mappings/application/stage-note.yaml": `mapping: application/stage-note
from: application
to: greenhouse.add_note
fields:
  candidate_id: $number(candidate.links.greenhouse)
  text: |
    "Moved to stage " & stage_id & "."
`,
  };
}

const README = `# The demo workspace

Three customers, four providers. The providers are stand-ins on this machine that answer as their vendors' documentation
says; everything else is what you would run in earnest.

| customer | preset | providers |
|---|---|---|
| acme | aptem-hubspot | Aptem (1,200 users, 80 organizations) and HubSpot (600 companies, 180 contacts); 60 employers are known to both. Wix (170 contacts), of whom HubSpot knows 150 |
| brightpath | aptem | Aptem (300 users, 25 organizations) |
| northwind | greenhouse | Greenhouse (40 jobs, 300 candidates, 300 applications) |

While \`plugboard start\` is up, somebody changes something at a provider every quarter of a minute. HubSpot, Wix and Greenhouse tell it by signed
webhooks, out of order and twice, and a contact that HubSpot and Wix both know is saved to the other one: \`GET /api/events\` and \`GET /api/deliveries\`. When one of Northwind's applications
moves on, a note for Greenhouse waits until somebody there has read it: \`GET /api/holds\`.

Things to try, each followed by \`plugboard validate\`:

- change \`every: 15m\` in tenants/acme.yaml, then \`plugboard explain acme flows.learners.from.every\`
- map one more field of Acme's learners: \`custom.owner: UserPersonalDetails_OwnerId\`
- add a customer: copy tenants/brightpath.yaml, change \`tenant\`, \`title\` and \`subdomain\`

This is a Git repository: \`git log\` shows what the demo did, \`git diff\` what you did.
`;
