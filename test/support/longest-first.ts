/** Files that take long begin first, so that at the end both workers have something small left to do. */
import path from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { projectRoot } from "./command.ts";

/** Rooms of browsers, processes and whole deployments, longest first; what is in none of them is over in a second or two. */
const LONG = ["test/studio/", "test/e2e/", "test/isolation/", "test/faults/", "test/server/cli/", "test/server/", "test/engine/jobs/", "test/engine/store/"];

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = LONG.findIndex((room) => path.relative(projectRoot, moduleId).replaceAll(path.sep, "/").startsWith(room));
      return found === -1 ? LONG.length : found;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
