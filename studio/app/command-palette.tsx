/** Everywhere in two keys: pages by name or by other words for them, and organisations. */
import { Combobox, Modal, ScrollArea, Text, TextInput, useCombobox } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api, type Page } from "../api/client.ts";
import { isStaff, useMay, useSession } from "../api/session.ts";
import { areas } from "./areas.ts";

interface Target { readonly label: string; readonly note: string; readonly to: string; readonly words: string }

export function CommandPalette({ opened, close }: { readonly opened: boolean; readonly close: () => void }) {
  const session = useSession();
  const may = useMay();
  const navigate = useNavigate();
  const [asked, setAsked] = useState("");
  const combobox = useCombobox({ opened: true });
  const side = isStaff(session) ? "staff" : "tenant";
  const tenants = useQuery({ queryKey: ["/api/tenants", "palette"], queryFn: ({ signal }) => api.get<Page<{ tenant: string; title: string }>>("/api/tenants", { limit: 200 }, signal), enabled: opened && may("tenants:read"), staleTime: 60_000 });
  const targets: Target[] = [
    ...areas.flatMap(({ nav, path, permission }) => nav && (nav.for === "all" || nav.for === side) && (permission === undefined || may(permission)) ? [{ label: nav.label, note: nav.section, to: path, words: nav.words ?? "" }] : []),
    ...(tenants.data?.data ?? []).map(({ tenant, title }) => ({ label: title, note: "Organisation", to: `/super-admin/organizations/${tenant}`, words: tenant })),
  ];
  const wanted = asked.trim().toLowerCase();
  const found = targets.filter(({ label, words }) => `${label} ${words}`.toLowerCase().includes(wanted)).slice(0, 12);
  useEffect(() => { combobox.selectFirstOption(); }, [asked, opened, tenants.data]);
  const go = (to: string) => { close(); setAsked(""); void navigate({ to }); };
  return (
    <Modal.Root opened={opened} onClose={close} padding="xs" size="lg" yOffset="12vh" centered={false}><Modal.Overlay /><Modal.Content aria-label="Search pages and organisations"><Modal.Body>
      <Combobox store={combobox} onOptionSubmit={go} withinPortal={false}>
        <Combobox.EventsTarget><TextInput data-autofocus onKeyDown={(event) => { if (event.key === "Escape") close(); /* the list of results keeps it from the dialog */ }} value={asked} onChange={(event) => setAsked(event.currentTarget.value)} placeholder="Page or organisation" aria-label="Page or organisation" variant="unstyled" px="xs" size="md" /></Combobox.EventsTarget>
        <ScrollArea.Autosize mah={360} type="auto">
          <Combobox.Options aria-label="Results">
            {found.map(({ label, note, to }) => <Combobox.Option key={to} value={to}><Text span size="sm">{label}</Text> <Text span size="xs" className="note">{note}</Text></Combobox.Option>)}
            {found.length === 0 && <Combobox.Empty>Nothing is called that.</Combobox.Empty>}
          </Combobox.Options>
        </ScrollArea.Autosize>
      </Combobox>
    </Modal.Body></Modal.Content></Modal.Root>
  );
}
