import { createInterface } from "node:readline";
import { Option, type Command } from "commander";
import pc from "picocolors";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { listMembers, listTenants, PLATFORM, withTenant, type Member } from "../../../engine/store/index.ts";
import { suggest } from "../../../engine/errors/nearest.ts";
import { isStaff, roles, type Role } from "../../api/permissions.ts";
import { openInstallation, type Installation } from "../../installation.ts";
import { settingsOf } from "../../main.ts";
import { createUser } from "../../people/create-user.ts";
import { normalEmail } from "../../people/email.ts";
import { dataFolder, locateWorkspace } from "../../workspace/locate.ts";
import { print, printJson, say } from "../output.ts";

interface Options { readonly workspace?: string; readonly data?: string; readonly databaseUrl?: string; readonly json?: boolean; readonly tenant?: string }
interface CreateOptions extends Options { readonly email: string; readonly role: Role; readonly name?: string }

export function registerUser(program: Command): void {
  const user = program.command("user").description("people who sign in: make the first one, see who is there");
  const command = (usage: string, description: string): Command => user.command(usage).description(description)
    .option("--tenant <id>", "the tenant they belong to (default: the operator's own people)")
    .option("--workspace <dir>", "the workspace whose data folder it is (default: the nearest one upwards)")
    .option("--data <dir>", "data folder (default: <workspace>/.plugboard)")
    .option("--database-url <url>", "the PostgreSQL to use (default: DATABASE_URL, else the embedded one)")
    .option("--json", "print one JSON document");
  command("create", "make somebody with a password; others are invited, in Studio or POST /api/invitations")
    .requiredOption("--email <address>", "what they sign in with")
    .addOption(new Option("--role <role>", "what they may do").choices([...roles]).makeOptionMandatory())
    .option("--name <name>", "how they are called (default: the address)")
    .addHelpText("after", "\nThe password is asked for, read from a pipe, or taken from PLUGBOARD_PASSWORD; never from an argument, which others on this machine can see.\n  plugboard user create --email ann@example.com --role super_admin")
    .action(create);
  command("list", "who is there, and what they may do").action(list);
}

async function create({ email: entered, role, name, tenant, ...options }: CreateOptions): Promise<void> {
  const email = normalEmail(entered);
  if (email === undefined) throw new PlugboardError("CLI_USAGE", { detail: `'${entered}' is no e-mail address.` });
  if (isStaff(role) !== (tenant === undefined || tenant === PLATFORM)) {
    throw new PlugboardError("CLI_USAGE", isStaff(role) ? { detail: `A ${role} belongs to the operator, not to a tenant.`, suggestion: "Leave --tenant out." } : { detail: `A ${role} belongs to a tenant.`, suggestion: "Say which: --tenant <id>" });
  }
  const password = await readPassword();
  await installed(options, async ({ db }) => {
    if (tenant !== undefined) await refuseUnknown(db, tenant);
    const id = await createUser(db, { email, role, password, ...(name === undefined ? {} : { name }), ...(tenant === undefined ? {} : { tenant }) }, { kind: "command", id: "user create", name: "plugboard user create" });
    if (options.json) return printJson({ id, email, role, tenant: tenant ?? PLATFORM });
    print(`${pc.green("✓")} ${email} is ${role}${tenant === undefined ? "" : ` of ${tenant}`} and can sign in.`);
  });
}

async function list({ tenant, ...options }: Options): Promise<void> {
  await installed(options, async ({ db }) => {
    if (tenant !== undefined) await refuseUnknown(db, tenant);
    const members = await withTenant(db, tenant ?? PLATFORM, listMembers);
    if (options.json) return printJson({ tenant: tenant ?? PLATFORM, people: members });
    if (members.length === 0) return print(`Nobody yet. Make the first: plugboard user create --email <address> --role ${tenant === undefined ? "super_admin" : `tenant_admin --tenant ${tenant}`}`);
    const width = Math.max(...members.map(({ email }) => email.length));
    for (const member of members) print(`  ${member.email.padEnd(width)}  ${member.role}${assignedTo(member)}`);
  });
}

const assignedTo = ({ assigned, role }: Member): string => role === "integration_engineer" ? `  for ${assigned.join(", ") || "no tenant yet"}` : "";

async function refuseUnknown(db: Installation["db"], tenant: string): Promise<void> {
  const known = (await listTenants(db)).map(({ slug }) => slug);
  if (!known.includes(tenant)) throw new PlugboardError("PLAN_UNKNOWN_TENANT", { tenant, suggestion: suggest(tenant, known) });
}

/** @throws PlugboardError CLI_USAGE when there is none. */
async function readPassword(): Promise<string> {
  const given = process.env["PLUGBOARD_PASSWORD"] ?? await (process.stdin.isTTY ? askHidden("Password: ") : firstLine());
  if (given === "") throw new PlugboardError("CLI_USAGE", { detail: "There is no password.", suggestion: "Type one, pipe one in, or set PLUGBOARD_PASSWORD." });
  return given;
}

async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) return line;
  return "";
}

/** Without an echo on the terminal. */
function askHidden(question: string): Promise<string> {
  process.stderr.write(question);
  const { stdin } = process;
  stdin.setRawMode(true);
  return new Promise((resolve) => {
    let typed = "";
    const end = (answer: string): void => {
      stdin.off("data", onData).setRawMode(false).pause();
      process.stderr.write("\n");
      resolve(answer);
    };
    const onData = (bytes: Buffer): void => {
      for (const letter of bytes.toString("utf8")) {
        if (letter === "\r" || letter === "\n") return end(typed);
        if (letter === "\u0003") return end("");
        typed = letter === "\u007f" || letter === "\b" ? [...typed].slice(0, -1).join("") : typed + letter;
      }
    };
    stdin.on("data", onData).resume();
  });
}

async function installed(options: Options, work: (installation: Installation) => Promise<void>): Promise<void> {
  const settings = settingsOf(process.env);
  const cwd = process.cwd();
  const installation = await openInstallation({
    data: dataFolder(options.data, locateWorkspace(options.workspace, cwd), cwd), databaseUrl: options.databaseUrl ?? settings.databaseUrl, migrateUrl: settings.migrateUrl, kek: settings.kek, kekOld: settings.kekOld, vault: settings.vault,
    works: false, log: say, onError: (cause) => say(`  ${cause.message}`),
  });
  try {
    await work(installation);
  } finally {
    await installation.close();
  }
}
