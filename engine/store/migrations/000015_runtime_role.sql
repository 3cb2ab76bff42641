-- Who looks over all tenants sees ids, times and codes: never a sentence in which a provider may have quoted something.

alter table connections add column status_code text generated always as (status_detail ->> 'code') stored;
revoke select (status_detail) on connections from plugboard_scheduler;
grant select (status_code) on connections to plugboard_scheduler;
