/** One field of a connection's form. A secret goes one way: what is set shows as set, never what it is. */
import { NumberInput, PasswordInput, Select, Switch, TextInput } from "@mantine/core";
import type { Connection, FormField } from "./types.ts";

/** As a person reads a choice: `oauth` is a name. */
const chosen = (value: string): string => value === "oauth" ? "OAuth" : value.charAt(0).toUpperCase() + value.slice(1).replaceAll("_", " ");

export function Field({ name, field, connection, value, error, change }: { readonly name: string; readonly field: FormField; readonly connection: Connection; readonly value: unknown; readonly error: string | undefined; readonly change: (value: unknown) => void }) {
  const help = field["x-help"] ?? field.description ?? (field.format === "date-time" ? "In UTC, such as 2026-03-01T09:00:00Z" : undefined);
  const state = connection.secrets[name];
  const shared = { label: field.title ?? name, error, required: field["x-required"] === true && !(field["x-secret"] && state?.set), disabled: connection.locked.includes(name), ...(help === undefined ? {} : { description: help }), ...(connection.locked.includes(name) ? { description: "Set by the configuration." } : {}) };
  if (field["x-secret"]) return <PasswordInput {...shared} name={name} autoComplete="new-password" placeholder={state?.set ? `Set (${state.fingerprint ?? "by reference"}); leave empty to keep it` : ""} value={String(value ?? "")} onChange={(event) => change(event.currentTarget.value)} visibilityToggleButtonProps={{ "aria-label": `Show ${field.title ?? name}` }} {...(state?.updated_at === undefined ? {} : { inputWrapperOrder: ["label", "description", "input", "error"] as const })} />;
  if (field.enum) return <Select {...shared} data={field.enum.map((each) => ({ value: String(each), label: chosen(String(each)) }))} value={String(value ?? "")} onChange={(next) => change(field.enum!.find((each) => String(each) === next))} allowDeselect={false} />;
  if (field.type === "boolean") return <Switch label={shared.label} description={help} checked={value === true} onChange={(event) => change(event.currentTarget.checked)} disabled={shared.disabled} />;
  if (field.type === "integer" || field.type === "number") return <NumberInput {...shared} value={typeof value === "number" ? value : ""} onChange={(next) => change(next === "" ? undefined : Number(next))} allowDecimal={field.type === "number"} />;
  return <TextInput {...shared} name={name} value={String(value ?? "")} onChange={(event) => change(event.currentTarget.value)} {...(field["x-example"] === undefined ? {} : { placeholder: String(field["x-example"]) })} />;
}
