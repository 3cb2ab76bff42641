/** The YAML blocks of schemas/language.md as a workspace, so that the page is checked like any other manifest. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import type { SourceTree } from "../../engine/manifest/types.ts";

export interface Block { readonly line: number; readonly text: string; readonly head: string }

const PAGE = new URL("../../schemas/language.md", import.meta.url);

export function languageBlocks(): Block[] {
  const lines = readFileSync(PAGE, "utf8").split("\n");
  const blocks: Block[] = [];
  for (let start = 0; start < lines.length; start++) {
    if (lines[start] !== "```yaml") continue;
    const end = lines.indexOf("```", start);
    const text = `${lines.slice(start + 1, end).join("\n")}\n`;
    blocks.push({ line: start + 2, text, head: Object.keys(parse(text) as object)[0]! });
    start = end;
  }
  return blocks;
}

/** The manifest a block stands for: whole ones at their own path, parts of one wrapped so that they are whole. */
export function manifestOf(block: Block): { path: string; text: string } {
  const value = parse(block.text) as Record<string, unknown>;
  const id = String(value[block.head]);
  const indented = block.text.replace(/^(?=.)/gm, "  ");
  switch (block.head) {
    case "connector": return { path: `connectors/${id}/connector.yaml`, text: block.text };
    case "mapping": return { path: `mappings/${id}.yaml`, text: block.text };
    case "preset": return { path: `presets/${id}/preset.yaml`, text: block.text };
    // A tenant shown without its preset has one with the connections it names.
    case "tenant": return { path: `tenants/${id}.yaml`, text: value.preset === undefined ? `${block.text}preset: ${SHOWN_WITHOUT}\n` : block.text };
    case "$schema": return { path: `schemas/entities/${String(value.$id)}.schema.json`, text: block.text };
    case "name": return { path: "workspace.yaml", text: block.text };
    // "the fragment `hook`, beside `object` above": of a connector with both webhooks' streams.
    case "hook": return { path: "connectors/hook/connector.yaml", text: `connector: hook\ntitle: Hook\nstreams: { candidates: { key: id }, applications: { key: id } }\nfragments:\n${indented}` };
    // "connectors/benevity, the parts that bite"
    case "webhooks": return { path: "connectors/benevity/connector.yaml", text: `connector: benevity\ntitle: Benevity\nconfig: { ${["signing", "algorithm", "secret", "signed", "header", "encoding", "prefix"].map((name) => `${name}: { title: ${name} }`).join(", ")} }\nhttp: { base_url: "https://api.example.com" }\nstreams: { donations: { key: id } }\n${block.text}` };
    case "entities": return { path: "presets/two-way/preset.yaml", text: `preset: two-way\ntitle: Two ways\nconnections: { hubspot: { connector: hubspot }, wix: { connector: wix } }\n${block.text}` };
    default: throw new Error(`A block of language.md starts with '${block.head}': say in language-blocks.ts what it is.`);
  }
}

const SHOWN_WITHOUT = "shown-without";
/** What the page leaves out: the preset of a tenant that is shown without one. */
const LEFT_OUT: ReadonlyMap<string, string> = new Map([[`presets/${SHOWN_WITHOUT}/preset.yaml`, `preset: ${SHOWN_WITHOUT}\ntitle: Workday\nconnections: { workday: { connector: workday } }\n`]]);

/** The first block of each path; the page shows some manifests twice, shorter and longer. */
export function treeOf(blocks: readonly Block[]): SourceTree {
  const files = new Map<string, string>(LEFT_OUT);
  for (const block of blocks) {
    const { path, text } = manifestOf(block);
    if (!files.has(path)) files.set(path, text);
  }
  return { layer: "workspace", label: "", files };
}
