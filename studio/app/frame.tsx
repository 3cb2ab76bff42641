/** What stands around every page: navigation, who one is, and the banner while acting as somebody else. */
import { ActionIcon, AppShell, Avatar, Box, Burger, Button, Group, Kbd, Menu, NavLink, ScrollArea, Stack, Text, UnstyledButton, VisuallyHidden, useMantineColorScheme } from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import { ExitIcon, MagnifyingGlassIcon, MoonIcon, SunIcon } from "@radix-ui/react-icons";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { Suspense, useEffect, useRef } from "react";
import { isStaff, useMay, useSession, useSignOut, workIn } from "../api/session.ts";
import { LoadingRows } from "../ui/states.tsx";
import { useZone } from "../ui/time.tsx";
import { areas } from "./areas.ts";
import { CommandPalette } from "./command-palette.tsx";
import { useFocusBack } from "./focus-back.ts";
import { Impersonating } from "./impersonation.tsx";
import { Reachable } from "./reachable.tsx";

const SECTIONS = ["Customers", "Build", "Operate", "My organisation", "Settings"] as const;

export function Frame() {
  const { pathname } = useLocation();
  const [open, { toggle, close }] = useDisclosure();
  const [palette, { open: openPalette, close: closePalette }] = useDisclosure();
  const content = useRef<HTMLElement>(null);
  useHotkeys([["mod+K", openPalette]], []);
  useFocusBack();
  useEffect(close, [pathname, close]);
  return (
    <AppShell header={{ height: 52 }} navbar={{ width: 228, breakpoint: "sm", collapsed: { mobile: !open } }} padding={{ base: "md", sm: "xl" }}>
      <a className="skip-link" href="#content" onClick={(event) => { event.preventDefault(); content.current?.focus(); }}>Skip to content</a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={open} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={open ? "Close navigation" : "Open navigation"} aria-expanded={open} />
            <UnstyledButton component={Link} to="/" aria-label="Plugboard, to the start"><Group gap={8} wrap="nowrap"><img src="/plug.svg" width={24} height={24} alt="" /><Text fw={650} size="sm">Plugboard</Text></Group></UnstyledButton>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <Button variant="default" size="xs" leftSection={<MagnifyingGlassIcon aria-hidden />} rightSection={<Box component="span" visibleFrom="sm"><Kbd size="xs" aria-hidden>Ctrl K</Kbd></Box>} onClick={openPalette} aria-haspopup="dialog">Search<VisuallyHidden> pages and organisations</VisuallyHidden></Button>
            <SchemeSwitch />
            <Person />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Main navigation"><ScrollArea type="hover" scrollbarSize={6}><Navigation pathname={pathname} /></ScrollArea></AppShell.Navbar>
      <AppShell.Main id="content" ref={content} tabIndex={-1} style={{ outline: "none" }}>
        <Impersonating />
        <Suspense fallback={<LoadingRows />}><Outlet /></Suspense>
      </AppShell.Main>
      <Reachable />
      <CommandPalette opened={palette} close={closePalette} />
    </AppShell>
  );
}

function Navigation({ pathname }: { readonly pathname: string }) {
  const session = useSession();
  const may = useMay();
  const side = isStaff(session) ? "staff" : "tenant";
  const shown = areas.filter(({ nav, permission }) => nav !== undefined && (nav.for === "all" || nav.for === side) && (permission === undefined || may(permission)));
  return (
    <Stack gap="sm" pb="md">
      {SECTIONS.map((section) => {
        const items = shown.filter(({ nav }) => nav!.section === section);
        return items.length > 0 && (
          <Box key={section} component="nav" aria-label={section}>
            <Text size="xs" c="dimmed" fw={500} px="sm" pb={2}>{section}</Text>
            {items.map(({ path, nav }) => {
              const Icon = nav!.icon;
              const active = path === "/" ? pathname === "/" : pathname === path || pathname.startsWith(`${path}/`);
              return <NavLink key={path} component={Link} to={path} label={nav!.label} active={active} leftSection={<Icon aria-hidden />} aria-current={active ? "page" : undefined} py={4} style={{ borderRadius: 6 }} />;
            })}
          </Box>
        );
      })}
    </Stack>
  );
}

function SchemeSwitch() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const dark = colorScheme === "dark" || (colorScheme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  return <ActionIcon variant="default" size="md" onClick={() => setColorScheme(dark ? "light" : "dark")} aria-label={dark ? "Use light colours" : "Use dark colours"}>{dark ? <SunIcon /> : <MoonIcon />}</ActionIcon>;
}

function Person() {
  const { user, role, tenant, memberships } = useSession();
  const signOut = useSignOut();
  const [zone, setZone] = useZone();
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target><UnstyledButton><Avatar size={30} radius="xl" variant="filled" color="plug.8" name={user.name ?? user.email} /><VisuallyHidden>Account of {user.email}</VisuallyHidden></UnstyledButton></Menu.Target>
      <Menu.Dropdown>
        <Box px="sm" py={6}><Text size="sm" fw={550} truncate>{user.name ?? user.email}</Text><Text size="xs" c="dimmed" truncate>{user.email} · {role?.replaceAll("_", " ") ?? "no role"}</Text></Box>
        <Menu.Divider />
        {memberships.length > 1 && <>
          <Menu.Label>Organisation</Menu.Label>
          <Menu.RadioGroup value={tenant ?? ""} onChange={workIn} aria-label="Organisation">
            {memberships.map((each) => each.tenant !== null && <Menu.RadioItem key={each.tenant} value={each.tenant} closeMenuOnClick>{each.title ?? each.tenant}</Menu.RadioItem>)}
          </Menu.RadioGroup>
          <Menu.Divider />
        </>}
        <Menu.Label>Times</Menu.Label>
        <Menu.RadioGroup value={zone} onChange={(value) => setZone(value as typeof zone)} aria-label="Times">
          <Menu.RadioItem value="local" closeMenuOnClick>This computer's zone ({here})</Menu.RadioItem>
          <Menu.RadioItem value="UTC" closeMenuOnClick>UTC</Menu.RadioItem>
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item component={Link} to="/account">Password and sessions</Menu.Item>
        <Menu.Item leftSection={<ExitIcon aria-hidden />} onClick={() => signOut.mutate()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

