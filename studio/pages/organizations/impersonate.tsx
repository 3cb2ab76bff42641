/** Seeing what somebody of an organisation sees: as a role, for a reason, for a while. */
import { Button, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { Failed } from "../../ui/states.tsx";
import type { Tenant } from "./types.ts";

const ROLES = [{ value: "tenant_admin", label: "tenant admin" }, { value: "employer_admin", label: "employer admin" }, { value: "recruiter", label: "recruiter" }, { value: "interviewer", label: "interviewer" }];
const LASTS = [{ value: "15", label: "15 minutes" }, { value: "30", label: "half an hour" }, { value: "60", label: "an hour" }];
/** The server asks for as much. */
const SHORTEST_REASON = 5;

export function Impersonate({ of }: { readonly of: Tenant }) {
  const [reason, setReason] = useState("");
  const [role, setRole] = useState("tenant_admin");
  const [minutes, setMinutes] = useState("30");
  const begin = useMutation({ mutationFn: () => api.post(`/api/tenants/${of.tenant}/impersonations`, { role, reason: reason.trim(), minutes: Number(minutes) }), onSuccess: () => location.assign("/") });
  return (
    <form onSubmit={(event) => { event.preventDefault(); begin.mutate(); }}><Stack>
      <Text size="sm">You then see and may do what this role does in {of.title}, and nothing else. Begin, end and every act stand in its own audit log, with your name and the reason.</Text>
      <Group grow><Select label="As" allowDeselect={false} data={ROLES} value={role} onChange={(value) => setRole(value ?? role)} /><Select label="For" allowDeselect={false} data={LASTS} value={minutes} onChange={(value) => setMinutes(value ?? minutes)} /></Group>
      <TextInput data-autofocus label="Reason" description="For the organisation to read." required minLength={SHORTEST_REASON} maxLength={500} value={reason} onChange={(event) => setReason(event.currentTarget.value)} placeholder="Support case 1234" />
      {begin.isError && <Failed error={begin.error} />}
      <Group justify="flex-end"><Button type="submit" disabled={reason.trim().length < SHORTEST_REASON} loading={begin.isPending}>Act as {ROLES.find(({ value }) => value === role)!.label}</Button></Group>
    </Stack></form>
  );
}
