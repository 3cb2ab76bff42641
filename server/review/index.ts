/** The workspace in Git, and the review that a change of it passes. */
export { openRepository, headOf, readTreeAt, treesAt, type Repository } from "./repository.ts";
export { commitDirect, type Author } from "./commit.ts";
export { changedFiles, type FileEdit } from "./edits.ts";
