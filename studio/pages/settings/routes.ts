import { AvatarIcon, CardStackIcon, CheckCircledIcon, Component1Icon, IdCardIcon, LockClosedIcon } from "@radix-ui/react-icons";
import type { PageRoute } from "../../app/areas.ts";

export const routes: readonly PageRoute[] = [
  { path: "/settings/people", permission: "users:read", load: () => import("./people.tsx"), nav: { label: "People", section: "Settings", for: "all", icon: AvatarIcon, words: "users invite roles members" } },
  { path: "/settings/roles", permission: "users:read", load: () => import("./roles.tsx"), nav: { label: "Roles", section: "Settings", for: "all", icon: CheckCircledIcon, words: "permissions matrix" } },
  { path: "/settings/keys", permission: "keys:write", load: () => import("./keys.tsx"), nav: { label: "API keys", section: "Settings", for: "all", icon: LockClosedIcon, words: "token scopes" } },
  { path: "/settings/sign-in", permission: "issuers:write", load: () => import("./sign-in.tsx"), nav: { label: "Single sign-on", section: "Settings", for: "staff", icon: IdCardIcon, words: "oidc google saml sso" } },
  { path: "/settings/tokens", permission: "issuers:write", load: () => import("./tokens.tsx"), nav: { label: "Service tokens", section: "Settings", for: "staff", icon: CardStackIcon, words: "jwt issuers signers" } },
  { path: "/settings/installation", permission: "installation:read", load: () => import("./installation.tsx"), nav: { label: "Installation", section: "Settings", for: "staff", icon: Component1Icon, words: "version revision secrets rotation keys database" } },
];
