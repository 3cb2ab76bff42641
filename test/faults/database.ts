/** A database of its own for each run of the rig: sharing tables between runs gives false verdicts. */
import pg from "pg";

/** `template`: a migrated database to clone; without, the new one is empty. */
export async function makeDatabase(serverUrl: string, name: string, template?: string): Promise<{ url: string; drop(): Promise<void> }> {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const statement = async (text: string) => {
    const client = new pg.Client({ connectionString: serverUrl });
    await client.connect();
    try { await client.query(text); } finally { await client.end(); }
  };
  await statement(`create database ${name}${template === undefined ? "" : ` template ${template}`}`);
  return { url: url.href, drop: () => statement(`drop database if exists ${name} with (force)`) };
}
