import type { Statement } from "../database.ts";

/** Longest silence of a session, in minutes, and how exactly it is noted, in seconds: not every request writes a row. */
const IDLE_MINUTES = 30;
const NOTED_SECONDS = 60;

const live = `expires_at > now() and seen_at > now() - interval '${IDLE_MINUTES} minutes'`;

export interface SessionRow {
  id: string; created_at: Date; expires_at: Date; user_id: string; email: string; name: string;
  memberships: { tenant: string; title: string; role: string }[]; assigned: string[];
  acting_tenant: string | null; acting_role: string | null; acting_user: string | null; acting_email: string | null; acting_reason: string | null; acting_until: Date | null; lapsed: boolean;
}

/** The session with all that decides what its person may do, in one statement; notes that it was used. */
export const useSession = (hash: Buffer): Statement => ({
  text: `with noted as (update sessions set seen_at = now() where hash = $1 and ${live} and seen_at < now() - interval '${NOTED_SECONDS} seconds')
         select s.id, s.created_at, s.expires_at, u.id as user_id, u.email, u.name,
           (select coalesce(json_agg(json_build_object('tenant', t.slug, 'title', t.title, 'role', m.role) order by t.slug), '[]')
            from memberships m join tenants t on t.id = m.tenant and t.deleted_at is null where m.user_id = u.id) as memberships,
           array(select t.slug from assignments a join tenants t on t.id = a.tenant and t.deleted_at is null where a.user_id = u.id order by 1) as assigned,
           t.slug as acting_tenant, s.acting_role, au.id as acting_user, au.email as acting_email, s.acting_reason, s.acting_until, coalesce(s.acting_until <= now(), false) as lapsed
         from sessions s join users u on u.id = s.user_id
         left join tenants t on t.id = s.acting_tenant and t.deleted_at is null left join users au on au.id = s.acting_user
         where s.hash = $1 and s.${live.replace(" and ", " and s.")}`,
  values: [hash],
});

export const insertSession = (session: { id: string; hash: Buffer; user: string; hours: number; ip: string | null; agent: string | null }): Statement => ({
  text: `insert into sessions (id, hash, user_id, expires_at, ip, agent) values ($1, $2, $3, now() + make_interval(hours => $4), $5, $6)`,
  values: [session.id, session.hash, session.user, session.hours, session.ip, session.agent],
});

/** The same session under another name: whoever knew the old one is out. */
export const renameSession = (id: string, hash: Buffer): Statement => ({
  text: "update sessions set hash = $2 where id = $1 returning id",
  values: [id, hash],
});

export const selectSessions = (user: string): Statement => ({
  text: `select id, created_at, seen_at, expires_at, ip, agent from sessions where user_id = $1 and ${live} order by created_at desc, id desc`,
  values: [user],
});

/** Ends sessions. One that acts in a tenant stays, dead, until the end of that is written into the tenant's log. */
const end = (which: string): string => `with dead as (update sessions set expires_at = now(), acting_until = least(acting_until, now()) where ${which} and acting_tenant is not null returning id),
           gone as (delete from sessions where ${which} and acting_tenant is null returning id)
         select id from dead union all select id from gone`;

export const deleteSession = (user: string, id: string): Statement => ({ text: end("user_id = $1 and id = $2"), values: [user, id] });

/** All of a person's, but perhaps the one they are working with. */
export const deleteSessionsOf = (user: string, but: string | undefined): Statement => ({ text: end("user_id = $1 and id is distinct from $2::uuid"), values: [user, but ?? null] });

/** Sessions that nobody can use any more. */
export const deleteDeadSessions = (): Statement => ({ text: `delete from sessions where acting_tenant is null and not (${live})`, values: [] });

export const beginActing = (id: string, acting: { tenantId: string; role: string; user: string | null; reason: string; minutes: number }): Statement => ({
  text: `update sessions set acting_tenant = $2, acting_role = $3, acting_user = $4, acting_reason = $5, acting_until = least(expires_at, now() + make_interval(mins => $6)) where id = $1 and acting_tenant is null returning acting_until`,
  values: [id, acting.tenantId, acting.role, acting.user, acting.reason, acting.minutes],
});

/** Of one session, or of all whose time in this tenant is over. */
export const endActing = (tenantId: string, id: string | undefined): Statement => ({
  text: `update sessions s set acting_tenant = null, acting_role = null, acting_user = null, acting_reason = null, acting_until = null
         from (select b.id, b.user_id, b.acting_role, b.acting_user, b.acting_until, u.email, au.email as acting_email, least(b.acting_until, now()) as ended_at
               from sessions b join users u on u.id = b.user_id left join users au on au.id = b.acting_user
               where b.acting_tenant = $1 and (b.id = $2 or ($2::uuid is null and (b.acting_until <= now() or b.expires_at <= now()))) for update of b) old
         where s.id = old.id
         returning old.user_id, old.email, old.acting_role, old.acting_user, old.acting_email, old.acting_until, old.ended_at`,
  values: [tenantId, id ?? null],
});
