/** Subdomains that no tenant gets: the product, its operator or the network's own services answer there. */
export const RESERVED_SUBDOMAINS: ReadonlySet<string> = new Set([
  // the product
  "api", "app", "apps", "admin", "platform", "studio", "plugboard", "auth", "login", "logout", "signin", "signup", "sso", "oauth", "account", "accounts", "dashboard", "console", "portal",
  "webhook", "webhooks", "hooks", "connect", "connections", "integrations", "health", "healthz", "readyz", "metrics", "super-admin", "superadmin", "org", "orgs", "organizations", "organisations", "tenant", "tenants",
  // the operator
  "www", "blog", "docs", "help", "support", "status", "billing", "pay", "payments", "shop", "store", "news", "press", "about", "legal", "privacy", "terms", "security", "abuse", "postmaster", "hostmaster", "webmaster", "root",
  "demo", "test", "testing", "dev", "staging", "stage", "preview", "sandbox", "prod", "production", "beta", "internal", "intranet", "vpn", "git", "ci", "grafana", "vault",
  // the network
  "mail", "email", "smtp", "imap", "pop", "pop3", "mx", "ns", "ns1", "ns2", "dns", "ftp", "sftp", "ssh", "localhost", "autoconfig", "autodiscover", "wpad", "isatap", "cdn", "static", "assets", "media", "img", "images", "files", "download", "downloads",
]);

/** A DNS label (RFC 1035 §2.3.1): letters, digits and inner hyphens, at most 63. Labels with `--` third (`xn--…`) encode other alphabets. */
export const isSubdomain = (text: string): boolean => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text) && !/^..--/.test(text);
