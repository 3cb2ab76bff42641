import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { Option, type Command } from "commander";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { locateWorkspace } from "../../workspace/locate.ts";
import { print } from "../output.ts";

/** How each kind of sign-in is written, and the config fields it asks for. */
const AUTH: Readonly<Record<string, { readonly config: readonly string[]; readonly auth: string }>> = {
  api_key: { config: ["api_key: { title: API key, secret: true }"], auth: '{ type: api_key, header: X-Api-Key, value: "{{config.api_key}}" }' },
  bearer: { config: ["token: { title: API token, secret: true }"], auth: '{ type: bearer, token: "{{config.token}}" }' },
  basic: { config: ["username: { title: User name }", "password: { title: Password, secret: true }"], auth: '{ type: basic, username: "{{config.username}}", password: "{{config.password}}" }' },
  oauth2_client_credentials: { config: ["client_id: { title: Client ID }", "client_secret: { title: Client secret, secret: true }"], auth: "{ type: oauth2_client_credentials, token_url: BASE/oauth/token, client_auth: basic }" },
};

/** How each kind of paging is written: what the request asks with, and when it ends. */
const PAGINATION: Readonly<Record<string, { readonly query: string; readonly pagination: string }>> = {
  offset: { query: 'limit: "=page.size", offset: "=page.offset"', pagination: "{ type: offset, size: 100 }" },
  page: { query: 'page: "=page.number", per_page: "=page.size"', pagination: "{ type: page, start: 1, size: 100 }" },
  token: { query: 'limit: 100, page_token: "{{page.token}}"', pagination: "{ type: token, next: body.next_page_token }" },
  next_url: { query: "limit: 100", pagination: "{ type: next_url, next: body.next }" },
  link_header: { query: "per_page: 100", pagination: "{ type: link_header }" },
  keyset: { query: 'limit: "=page.size", after: "{{page.after}}"', pagination: "{ type: keyset, after: id, size: 100 }" },
  odata: { query: '$top: "=page.size", $skip: "=page.offset"', pagination: "{ type: odata, size: 100 }" },
};

interface Options { title?: string; category: string; baseUrl: string; auth: string; pagination: string; stream: string; workspace?: string }

export function registerNew(program: Command): void {
  program.command("new").description("write the first version of a manifest, to be filled in")
    .command("connector").description("connectors/<id>/connector.yaml with sign-in, one stream, paging and a cursor")
    .argument("<id>", "lower case, digits and dashes: helpdesk")
    .option("--title <title>", "the provider's name")
    .option("--category <category>", "ats, lms, crm, hris, accounting …", "other")
    .option("--base-url <url>", "what every path is appended to", "https://api.example.com/v1")
    .addOption(new Option("--auth <type>", "how requests sign in").choices(Object.keys(AUTH)).default("api_key"))
    .addOption(new Option("--pagination <type>", "how the next page is found").choices(Object.keys(PAGINATION)).default("offset"))
    .option("--stream <name>", "its first stream", "records")
    .option("--workspace <dir>", "the workspace (default: the nearest folder upwards with a workspace.yaml)")
    .action(async (id: string, options: Options) => {
      if (!/^[a-z][a-z0-9-]*$/.test(id)) throw new PlugboardError("CLI_USAGE", { detail: `'${id}' cannot name a connector.`, suggestion: "Use lower case letters, digits and dashes, beginning with a letter." });
      if (!URL.canParse(options.baseUrl)) throw new PlugboardError("CLI_USAGE", { detail: `'${options.baseUrl}' is not a URL.`, suggestion: "For example: --base-url https://api.example.com/v1" });
      const root = locateWorkspace(options.workspace, process.cwd());
      const file = path.join(root, "connectors", id, "connector.yaml");
      if (existsSync(file)) throw new PlugboardError("CLI_USAGE", { detail: `${path.relative(process.cwd(), file)} exists already.`, suggestion: "Nothing was written." });
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, connectorText(id, options));
      print(`Wrote ${path.relative(process.cwd(), file)}.`);
      print(`Adapt path, filter and key to the provider's documentation, then: plugboard validate && plugboard run ${id}.${options.stream} --raw --limit 3`);
    });
}

/** The manifest: valid as it is, so that what is changed next is what a message is about. */
export function connectorText(id: string, { title, category, baseUrl, auth, pagination, stream }: Omit<Options, "workspace">): string {
  const base = baseUrl.replace(/\/$/, "");
  const { config, auth: written } = AUTH[auth]!;
  const paging = PAGINATION[pagination]!;
  const name = title ?? id;
  return `connector: ${id}
title: ${/^[\w][\w .&'-]*$/.test(name) ? name : JSON.stringify(name)}
category: ${category}
config:
${config.map((field) => `  ${field}`).join("\n")}
http:
  base_url: ${base}
  auth: ${written.replace("BASE", new URL(base).origin)}
streams:
  ${stream}:
    key: id
    get: /${stream}
    query: { ${paging.query}, updated_since: "{{cursor.from}}" }   # the filter is left out on the first run
    records: ${stream}
    pagination: ${paging.pagination}
    cursor: { field: updated_at }
`;
}
