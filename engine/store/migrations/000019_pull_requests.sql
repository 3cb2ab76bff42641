-- The pull request that a change is reviewed in, where a forge is configured: which one, and how it was seen last
-- (repository, number, url, state, head, merged, review). Absent: the change is reviewed here alone.

alter table changes add column pull_request json;
