import type { Statement } from "../database.ts";

/** What people may do in a tenant depends on its state. */
export const selectTenantState = (slug: string): Statement => ({
  text: "select coalesce(to_jsonb(t) ->> 'status', 'active') as status from tenants t where slug = $1 and deleted_at is null",
  values: [slug],
});

export interface UserRow { id: string; email: string; name: string; password: string | null; memberships: { tenant: string; title: string; role: string }[] }

/** In a tenant's transaction only its own membership shows. */
const users = (where: string): string => `select u.id, u.email, u.name, u.password,
    (select coalesce(json_agg(json_build_object('tenant', t.slug, 'title', t.title, 'role', m.role) order by t.slug), '[]') from memberships m join tenants t on t.id = m.tenant and t.deleted_at is null where m.user_id = u.id) as memberships
  from users u where ${where}`;

export const selectUserByEmail = (email: string): Statement => ({ text: users("u.email = $1"), values: [email] });
export const selectUser = (id: string): Statement => ({ text: users("u.id = $1"), values: [id] });
export const selectUserOfIdentity = (issuer: string, subject: string): Statement => ({ text: users("u.id = (select user_id from identities where issuer = $1 and subject = $2)"), values: [issuer, subject] });

/** 0 rows: the address is taken. */
export const insertUser = (user: { id: string; email: string; name: string; password: string | null }): Statement => ({
  text: "insert into users (id, email, name, password) values ($1, $2, $3, $4) on conflict (email) do nothing returning id",
  values: [user.id, user.email, user.name, user.password],
});

export const updatePassword = (id: string, password: string): Statement => ({ text: "update users set password = $2 where id = $1 returning id", values: [id, password] });

export interface MemberRow { id: string; email: string; name: string; role: string; source: string | null; since: Date; assigned: string[] }

/** The people of the transaction's tenant. */
export const selectMembers = (tenantId: string): Statement => ({
  text: `select u.id, u.email, u.name, m.role, m.source, m.created_at as since,
           array(select t.slug from assignments a join tenants t on t.id = a.tenant and t.deleted_at is null where a.user_id = u.id order by 1) as assigned
         from memberships m join users u on u.id = m.user_id where m.tenant = $1 order by u.email`,
  values: [tenantId],
});

export const selectMember = (tenantId: string, user: string): Statement => ({
  text: `select u.id, u.email, u.name, m.role, m.source, m.created_at as since,
           array(select t.slug from assignments a join tenants t on t.id = a.tenant and t.deleted_at is null where a.user_id = u.id order by 1) as assigned
         from memberships m join users u on u.id = m.user_id where m.tenant = $1 and m.user_id::text = $2 for update of m`,
  values: [tenantId, user],
});

/** 0 rows: they are a member already. */
export const insertMembership = (tenantId: string, user: string, role: string, source: string | null): Statement => ({
  text: "insert into memberships (tenant, user_id, role, source) values ($1, $2, $3, $4) on conflict do nothing returning role",
  values: [tenantId, user, role, source],
});

export const updateMembership = (tenantId: string, user: string, role: string): Statement => ({
  text: "update memberships set role = $3, source = null where tenant = $1 and user_id = $2 returning role",
  values: [tenantId, user, role],
});

export const deleteMembership = (tenantId: string, user: string): Statement => ({
  text: "delete from memberships where tenant = $1 and user_id = $2 returning role",
  values: [tenantId, user],
});

export const deleteAssignments = (user: string): Statement => ({ text: "delete from assignments where user_id = $1", values: [user] });

/** Gives the slugs that are tenants; the operator's own needs no assignment. */
export const insertAssignments = (user: string, slugs: readonly string[], platform: string): Statement => ({
  text: `with added as (insert into assignments (user_id, tenant) select $1, id from tenants where slug = any ($2::text[]) and slug <> $3 and deleted_at is null returning tenant)
         select t.slug from added join tenants t on t.id = added.tenant order by 1`,
  values: [user, slugs, platform],
});

// ── links that let somebody in ──────────────────────────────────────────────────────────────────────────────────────

export interface InvitationRow { id: string; email: string; role: string; invited_by: string; created_at: Date; expires_at: Date }

/** One open invitation per address and tenant: a new one takes the place of the one before. */
export const withdrawInvitations = (tenantId: string, email: string): Statement => ({
  text: "update invitations set revoked_at = now() where tenant = $1 and email = $2 and accepted_at is null and revoked_at is null",
  values: [tenantId, email],
});

/** Of two who invite the same person at once, the later one's link is good. */
export const insertInvitation = (tenantId: string, row: { id: string; email: string; role: string; hash: Buffer; by: string; hours: number }): Statement => ({
  text: `insert into invitations (id, tenant, email, role, token_hash, invited_by, expires_at) values ($2, $1, $3, $4, $5, $6, now() + make_interval(hours => $7))
         on conflict (tenant, email) where accepted_at is null and revoked_at is null do update set id = excluded.id, role = excluded.role, token_hash = excluded.token_hash, invited_by = excluded.invited_by, created_at = now(), expires_at = excluded.expires_at
         returning id, email, role, invited_by, created_at, expires_at`,
  values: [tenantId, row.id, row.email, row.role, row.hash, row.by, row.hours],
});

const open = "accepted_at is null and revoked_at is null and expires_at > now()";

export const selectInvitations = (tenantId: string): Statement => ({
  text: `select id, email, role, invited_by, created_at, expires_at from invitations where tenant = $1 and ${open} order by created_at desc, id desc`,
  values: [tenantId],
});

export const revokeInvitation = (tenantId: string, id: string): Statement => ({
  text: `update invitations set revoked_at = now() where tenant = $1 and id::text = $2 and accepted_at is null and revoked_at is null returning email, role`,
  values: [tenantId, id],
});

export const selectInvitationByHash = (hash: Buffer): Statement => ({
  text: `select t.slug as tenant, t.title, i.email, i.role from invitations i join tenants t on t.id = i.tenant and t.deleted_at is null where i.token_hash = $1 and i.${open.replaceAll(" and ", " and i.")}`,
  values: [hash],
});

/** 0 rows: it was used, withdrawn, or is too old; of two who accept at once only one gets a row. */
export const acceptInvitation = (tenantId: string, hash: Buffer): Statement => ({
  text: `update invitations set accepted_at = now() where tenant = $1 and token_hash = $2 and ${open} returning id, email, role`,
  values: [tenantId, hash],
});

export const upsertReset = (user: string, hash: Buffer, hours: number): Statement => ({
  text: `insert into password_resets (user_id, token_hash, expires_at) values ($1, $2, now() + make_interval(hours => $3))
         on conflict (user_id) do update set token_hash = excluded.token_hash, expires_at = excluded.expires_at returning expires_at`,
  values: [user, hash, hours],
});

export const useReset = (hash: Buffer): Statement => ({
  text: "delete from password_resets where token_hash = $1 and expires_at > now() returning user_id",
  values: [hash],
});

export const deleteResetOf = (user: string): Statement => ({ text: "delete from password_resets where user_id = $1", values: [user] });

// ── signing in elsewhere ────────────────────────────────────────────────────────────────────────────────────────────

export const insertIdentity = (issuer: string, subject: string, user: string): Statement => ({
  text: "insert into identities (issuer, subject, user_id) values ($1, $2, $3) on conflict (issuer, subject) do update set last_used_at = now() where identities.user_id = excluded.user_id returning user_id",
  values: [issuer, subject, user],
});

/** Memberships that a provider's groups gave and give no more. */
export const deleteSourced = (user: string, source: string, kept: readonly string[]): Statement => ({
  text: `delete from memberships m using tenants t where t.id = m.tenant and m.user_id = $1 and m.source = $2 and not (t.slug = any ($3::text[])) returning t.slug as tenant, m.role`,
  values: [user, source, kept],
});

/** What somebody gave by hand stays as they gave it. */
export const upsertSourced = (user: string, source: string, tenant: string, role: string): Statement => ({
  text: `insert into memberships (user_id, tenant, role, source) select $1, id, $4, $2 from tenants where slug = $3 and deleted_at is null
         on conflict (user_id, tenant) do update set role = excluded.role where memberships.source = excluded.source and memberships.role <> excluded.role returning role`,
  values: [user, source, tenant, role],
});

export const insertSignIn = (row: { hash: Buffer; provider: string; returnTo: string; invitation: Buffer | null; minutes: number }): Statement => ({
  text: `with old as (delete from provider_sign_ins where expires_at < now())
         insert into provider_sign_ins (hash, provider, return_to, invitation, expires_at) values ($1, $2, $3, $4, now() + make_interval(mins => $5))`,
  values: [row.hash, row.provider, row.returnTo, row.invitation, row.minutes],
});

export const takeSignIn = (hash: Buffer, provider: string): Statement => ({
  text: "delete from provider_sign_ins where hash = $1 and provider = $2 and expires_at > now() returning return_to, invitation",
  values: [hash, provider],
});

// ── tries ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Counts a try before it is made, so that a hundred at once count as a hundred. After `free` tries each one more doubles the
 * time until the next, from a second to a quarter of an hour; a quarter of an hour of silence forgets them.
 */
export const countTry = (key: Buffer, free: number): Statement => ({
  text: `insert into sign_in_tries as t (key, tries, expires_at) values ($1, 1, now() + interval '15 minutes')
         on conflict (key) do update set
           refused = t.blocked_until > now() and t.expires_at > now(),
           tries = case when t.expires_at <= now() then 1 when t.blocked_until > now() then t.tries else t.tries + 1 end,
           blocked_until = case when t.expires_at <= now() then null when t.blocked_until > now() then t.blocked_until
             when t.tries >= $2 then now() + least(interval '15 minutes', interval '1 second' * 2 ^ least(t.tries - $2, 20)) end,
           expires_at = greatest(t.expires_at, now() + interval '15 minutes', t.blocked_until + interval '1 minute')
         returning coalesce(refused, false) as refused, ceil(extract(epoch from coalesce(blocked_until, now()) - now()))::int as wait`,
  values: [key, free],
});

export const forgetTries = (keys: readonly Buffer[]): Statement => ({ text: "delete from sign_in_tries where key = any ($1::bytea[]) or expires_at < now() - interval '1 day'", values: [keys] });
/** A try that was right is none against the address. */
export const uncountTry = (key: Buffer): Statement => ({ text: "update sign_in_tries set tries = greatest(tries - 1, 0) where key = $1", values: [key] });
