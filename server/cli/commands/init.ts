import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import fs from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import git from "isomorphic-git";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { print } from "../output.ts";

export function registerInit(program: Command): void {
  program.command("init")
    .description("make a workspace: a Git repository of your connectors, mappings, presets and tenants")
    .argument("<folder>", "where to make it; must be empty or not exist")
    .option("--name <name>", "what it is called (default: the folder's name)")
    .action(async (folder: string, options: { name?: string }) => {
      const directory = path.resolve(folder);
      if (existsSync(directory) && (await readdir(directory)).length > 0)
        throw new PlugboardError("CLI_USAGE", { detail: `${folder} is not empty.`, suggestion: "Choose an empty folder; nothing was written." });
      const name = options.name ?? path.basename(directory);
      for (const [file, text] of Object.entries(template(name))) {
        await mkdir(path.dirname(path.join(directory, file)), { recursive: true });
        await writeFile(path.join(directory, file), text);
      }
      await git.init({ fs, dir: directory, defaultBranch: "main" });
      for (const file of Object.keys(template(name))) await git.add({ fs, dir: directory, filepath: file });
      await git.commit({ fs, dir: directory, message: "Start the workspace", author: { name: "plugboard init", email: "plugboard@localhost" } });
      print(`Made the workspace ${name} in ${folder}, with its first commit.`);
      print();
      print("Next, inside it:");
      print("  1. describe a provider          connectors/<id>/connector.yaml");
      print("  2. see its records              plugboard run <id>.<stream> --set api_key=… --to stdout");
      print("  3. map them to an entity        mappings/<id>/<name>.yaml");
      print("  4. say who uses it              tenants/<id>.yaml");
      print("  5. check everything             plugboard validate");
      print("  6. connect and run              plugboard connect <tenant> <connection> --set …; plugboard start");
      print("README.md there shows each step.");
    });
}

function template(name: string): Record<string, string> {
  const quoted = /^[\w][\w .-]*$/.test(name) ? name : JSON.stringify(name);
  return {
    "workspace.yaml": `name: ${quoted}
catalogue: builtin                          # connectors, entities and presets that this workspace builds on
review: self                                # who approves a change: other (not its author) or self
egress: { allow_private: false }            # true, or a list of host:port: providers inside your own network
`,
    ".gitignore": ".plugboard/\n",
    ".github/workflows/plugboard.yml": WORKFLOW,
    "README.md": readme(name),
  };
}

/** `plan` exits with 2 where there are changes. The comment is edited, so that a pull request has one. Forks' tokens may not write: they find the plan in the run's summary. */
const WORKFLOW = `# Checks every change of this workspace, and says in its pull request what it does, tenant by tenant. No database is needed.
name: Plugboard
on:
  pull_request:
  push: { branches: [main] }
permissions: { contents: read, pull-requests: write }
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with: { fetch-depth: 0, persist-credentials: false }
      - uses: actions/setup-node@v4
        with: { node-version: 24 }
      - run: npm install --global plugboard
      - run: plugboard validate
      - run: plugboard test
      - name: Plan
        if: github.event_name == 'pull_request'
        env: { BASE: "origin/\${{ github.base_ref }}" }
        run: |
          plugboard plan --base "$BASE" --markdown > "$RUNNER_TEMP/plan.md" || [ $? = 2 ]
          cat "$RUNNER_TEMP/plan.md" >> "$GITHUB_STEP_SUMMARY"
      - name: Post the plan
        if: github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name == github.repository
        env: { GH_TOKEN: "\${{ github.token }}", NUMBER: "\${{ github.event.number }}" }
        run: gh pr comment "$NUMBER" --edit-last --create-if-none --body-file "$RUNNER_TEMP/plan.md"
`;

const readme = (name: string): string => `# ${name}

A Plugboard workspace: what is here is laid over the built-in catalogue. \`plugboard validate\` checks all of it without a database.

## A connector

\`\`\`yaml
connector: helpdesk                         # connectors/helpdesk/connector.yaml
title: Help desk
category: support
config:
  url:     { title: Address, example: "https://desk.example.com" }
  api_key: { title: API key, secret: true }
http:
  base_url: "{{config.url}}"
  hosts: ["*.example.com"]                  # the host comes from config: where the key may go
  auth: { type: api_key, header: X-Api-Key, value: "{{config.api_key}}" }
check: { get: /me, account: $string(id) }
streams:
  tickets:
    key: id
    get: /tickets
    query: { limit: "=page.size", offset: "=page.offset", updated_since: "{{cursor.from}}" }
    records: tickets
    pagination: { type: offset, size: 100 }
    cursor: { field: updated_at }
\`\`\`

See its records: \`plugboard run helpdesk.tickets --set url=https://desk.example.com --set api_key=env:DESK_KEY --to stdout\`

## An entity, a mapping, a tenant

\`\`\`json
{ "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "ticket", "title": "Ticket", "type": "object",
  "additionalProperties": false, "required": ["title"],
  "properties": { "title": { "type": "string" }, "status": { "type": "string" }, "custom": { "type": "object" } } }
\`\`\`

(\`schemas/entities/ticket.schema.json\`)

\`\`\`yaml
mapping: helpdesk/ticket                    # mappings/helpdesk/ticket.yaml
from: helpdesk.tickets
to: ticket
fields:
  title: subject
  status: state.name
tests:
  - { name: a ticket, given: { id: 1, subject: Broken, state: { name: open } }, expect: { title: Broken, status: open } }
\`\`\`

\`\`\`yaml
tenant: acme                                # tenants/acme.yaml
title: Acme Ltd
subdomain: acme
connections: { helpdesk: { connector: helpdesk } }
flows: { tickets: { from: { stream: helpdesk.tickets, every: 15m, sweep: 7d }, map: helpdesk/ticket, to: ticket } }
\`\`\`

Then \`plugboard connect acme helpdesk --set url=… --set api_key=env:DESK_KEY\` and \`plugboard run acme tickets\`, or \`plugboard start\` for all of it.

## A change, reviewed

\`plugboard plan\` says what the working copy changes, tenant by tenant, before it is in force (exit code 2: there are changes).
Then either a pull request, in which \`.github/workflows/plugboard.yml\` posts that plan (a commit on main counts as reviewed there, and
a running server takes it in within seconds); or Plugboard's own review:

\`\`\`sh
plugboard changes propose --title "Sync Acme more often"
plugboard changes approve <change>          # another person, unless workspace.yaml says \`review: self\`
plugboard apply <change>                    # exactly what was reviewed, or nothing
plugboard rollback                          # the revision before, in seconds; main gets a revert
\`\`\`

With both in one, what is proposed (here or in Studio) becomes a pull request with its plan, a review there approves it, and applying it
merges it; what is merged or closed there is taken in by itself:

\`\`\`yaml
secrets: { allow_env: [GITHUB_TOKEN] }      # in workspace.yaml; this folder is a clone of the repository
forge: { type: github, repository: acme/plugboard-config, token: env:GITHUB_TOKEN }
\`\`\`
`;
